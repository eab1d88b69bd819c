from __future__ import annotations

import pytest
import torch

import search_spaces
from trainable.runtime import Runtime
from tuner.plan.throughput import MOST_FLOPS_ON_CPU, SLOW_FLOPS_ON_CPU, takes_long, tokens_per_second


@pytest.mark.parametrize("name", search_spaces.names())
def test_every_space_is_timed_with_its_optimizer_and_generator_and_threads_stay_as_they_were(name) -> None:
    base = search_spaces.load(name).scale("proxy").base
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    found = tokens_per_second(base, Runtime())
    assert found is not None and found > 0
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


def test_a_model_that_would_fill_a_laptops_memory_is_not_timed_on_a_cpu() -> None:
    assert tokens_per_second(search_spaces.load("nanochat").scale("full").base, Runtime()) is None


def test_what_takes_more_than_moments_on_a_core_is_told_before_and_what_is_not_timed_is_not() -> None:
    golf, nanochat = search_spaces.load("parameter_golf"), search_spaces.load("nanochat")
    core, gpu = Runtime(torch.device("cpu")), Runtime(torch.device("cuda"))
    assert takes_long(golf.scale("proxy").base, core) is None
    long = takes_long(golf.scale("full").base, core)
    assert long is not None and SLOW_FLOPS_ON_CPU < long <= MOST_FLOPS_ON_CPU
    assert takes_long(golf.scale("full").base, gpu) is None
    assert takes_long(nanochat.scale("full").base, core) is None  # too large to be timed
