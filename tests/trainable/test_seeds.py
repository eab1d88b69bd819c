from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainable.seeds import LIBRARY_SEEDS, SEEDS, derived, for_torch, place_in


def test_a_seed_for_a_library_never_changes() -> None:
    """Campaigns are resumed by later versions, which must draw the same."""
    assert derived(1337, "search", 0) == 2_604_586_078
    assert derived(2**63 - 1, "likely point", 7) == 151_680_745
    assert place_in(10**6, "fresh seeds", [1, 2, 3]) == 157_963


@given(st.integers(0, SEEDS - 1), st.integers(0, 10**9), st.text())
def test_every_seed_purpose_and_counter_give_one_that_libraries_take(seed, counter, purpose) -> None:
    assert 0 <= derived(seed, purpose, counter) < LIBRARY_SEEDS


def test_seeds_purposes_and_counters_do_not_share_their_draws() -> None:
    seeds = (0, 1, 1337, 2**32, 2**32 + 1, SEEDS - 1)
    found = {derived(s, p, c) for s in seeds for p in ("search", "likely point") for c in (0, 1, 11, 10_000)}
    assert len(found) == 6 * 2 * 4


@given(st.integers(0, LIBRARY_SEEDS - 1))
def test_a_training_keeps_the_seeds_that_torch_takes_whole(seed) -> None:
    assert for_torch(seed) == seed


@pytest.mark.parametrize("seed", [2**32, 2**32 + 1337, 2**62, SEEDS - 1])
def test_a_training_of_any_seed_runs_and_is_not_that_of_its_lower_32_bits(
    tiny, run_to_end, first_difference, seed
) -> None:
    large, low = (run_to_end(replace(tiny, seed=s)) for s in (seed, seed % 2**32))
    assert large.last.status == "completed"
    assert first_difference(large.numbers["network"], low.numbers["network"])
    again = run_to_end(replace(tiny, seed=seed))
    assert not first_difference(large.numbers["network"], again.numbers["network"])


def test_torch_on_a_cpu_drops_bits_beyond_32_which_is_why_seeds_are_folded() -> None:
    first, second = (torch.rand(3, generator=torch.Generator().manual_seed(5 + high)) for high in (0, 2**32))
    assert torch.equal(first, second)
