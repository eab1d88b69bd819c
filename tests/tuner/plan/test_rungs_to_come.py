"""The judging of trials that may come, in futures of a campaign."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from tuner.plan.rungs_to_come import MOST_SEEN, RungsToCome

RUNGS = (60.0, 120.0)


def went_on(rung, seen, stopper="asha", futures=400, trials=1) -> list[float]:
    """The part of the futures in which each of some trials goes on at a rung."""
    found = []
    for future in range(futures):
        rungs = RungsToCome(stopper, RUNGS, seen, "base", random.Random(future), 240.0, {})
        found.append([not rungs.ends(f"future {future} {number}", rung) for number in range(trials)])
    return [fmean(each) for each in zip(*found, strict=True)]


def at(rung, *values):
    return {("base" if number == 0 else f"key {number}"): {rung: value} for number, value in enumerate(values)}


def test_the_first_one_at_a_rung_goes_on() -> None:
    assert went_on(60.0, {}) == [1.0]


@pytest.mark.parametrize("values", [(3.2,), (3.2, 3.9), (3.2, 3.9, 3.4, 3.5, 3.6, 3.7)])
def test_a_trial_is_as_likely_to_be_in_the_better_half_as_in_the_other(values) -> None:
    assert went_on(60.0, at(60.0, *values), trials=4) == pytest.approx([0.5] * 4, abs=0.09)


def test_at_a_later_rung_more_go_on() -> None:
    assert went_on(120.0, at(120.0, 3.2, 3.4, 3.5, 3.6, 3.7)) == pytest.approx([0.65], abs=0.07)


def test_values_that_were_drawn_count_for_the_next_trial() -> None:
    """Nine of ten that came are drawn, so that what goes on is no longer decided by the one that was seen."""
    rungs = RungsToCome("asha", RUNGS, at(60.0, 3.2), "base", random.Random(0), 240.0, {})
    for number in range(9):
        rungs.ends(f"future {number}", 60.0)
    assert len(rungs.values[60.0]) == 10 == rungs.rule.reached(60.0)


def test_the_base_is_never_stopped_and_without_a_rule_nobody_is() -> None:
    seen = {f"key {number}": {60.0: 3.0} for number in range(9)}
    assert not any(
        RungsToCome("asha", RUNGS, seen, "base", random.Random(n), 240.0, {}).ends("base", 60.0) for n in range(20)
    )
    assert went_on(60.0, seen, stopper="none") == [1.0]


def test_of_many_that_were_seen_an_even_part_is_kept_and_the_base() -> None:
    seen = {f"key {number}": {60.0: float(number)} for number in range(1000)} | {"base": {60.0: -1.0}}
    values = RungsToCome("asha", RUNGS, seen, "base", random.Random(0), 240.0, {}).values[60.0]
    assert 150 < len(values) <= MOST_SEEN + 1 and values[0] == -1.0
    assert fmean(values) == pytest.approx(500, abs=10)


def test_hyperband_and_the_median_judge_by_their_own_rules() -> None:
    seen = at(60.0, *(3.0 + number / 10 for number in range(9)))
    asha, hyperband, few = (
        went_on(60.0, seen, "asha")[0],
        went_on(60.0, seen, "hyperband")[0],
        went_on(60.0, at(60.0, 3.0, 3.1), "median")[0],
    )
    assert hyperband > asha + 0.1, "a part of the trials leaves the rung out"
    assert few == 1.0, "the median asks for three trials before it judges"
