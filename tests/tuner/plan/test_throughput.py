from __future__ import annotations

import pytest
import torch

import search_spaces
from trainable.runtime import Runtime
from tuner.plan.throughput import tokens_per_second


@pytest.mark.parametrize("name", search_spaces.names())
def test_every_space_is_timed_with_its_optimizer_and_generator_and_threads_stay_as_they_were(name) -> None:
    base = search_spaces.load(name).scale("proxy").base
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    found = tokens_per_second(base, Runtime())
    assert found is not None and found > 0
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


def test_a_model_that_would_fill_a_laptops_memory_is_not_timed_on_a_cpu() -> None:
    assert tokens_per_second(search_spaces.load("nanochat").scale("full").base, Runtime()) is None
