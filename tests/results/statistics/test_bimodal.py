from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from results.statistics.bimodal import NotEscaped, gap_above, has_escaped, plateau_of

LOG = Path(__file__).parents[3] / "search_spaces" / "ngpt" / "runs.csv"
OF_ONE_SIZE = {"1", "2", "3", "4", "5", "7", "11", "12", "13", "14", "15", "16"}  # rounds of one size, batch and length


def logged() -> list[float]:
    """Losses of nGPT's log, of the rounds that are alike but for a rate, a scale or a period."""
    with LOG.open() as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file) if row["id"] in OF_ONE_SIZE]


def test_the_five_rounds_of_ngpt_s_log_that_stay_on_the_plateau_are_found() -> None:
    values = logged()
    assert len(values) == 12 and gap_above(values) == 7.0609 and sum(value > 7.0609 for value in values) == 5


@pytest.mark.parametrize("above", [7.4, 7.56])
def test_a_gap_that_is_less_than_twice_as_wide_as_the_lower_group_is_none(above) -> None:
    assert gap_above([above if value == 7.5758 else value for value in logged()]) is None


def test_the_upper_group_is_no_more_than_half_and_fewer_than_twelve_runs_have_none() -> None:
    lower = [1.0, 1.1, 1.05, 1.02, 1.07]
    assert gap_above([*lower, *[9.0 + i / 10 for i in range(7)]]) is None
    assert gap_above([*lower, 1.06, *[9.0 + i / 10 for i in range(6)]]) == 1.1
    assert gap_above([*lower, 1.06, *[9.0 + i / 10 for i in range(5)]]) is None


def test_ordinary_noise_has_no_two_groups() -> None:
    draw = np.random.default_rng(0)
    assert sum(gap_above(row) is not None for row in draw.normal(size=(2_000, 12))) <= 8
    assert sum(gap_above(row) is not None for row in draw.standard_t(3, size=(2_000, 16))) <= 60


def test_which_config_a_run_belongs_to_is_not_seen() -> None:
    ends = [(value, "completed") for value in logged()]
    by_turns = {arm: ends[place::3] for place, arm in enumerate("abc")}
    others = {arm: ends[::-1][place::3] for place, arm in enumerate("abc")}
    assert plateau_of(by_turns) == plateau_of(others) == NotEscaped(7.0609, 5, 12)


def test_two_groups_that_are_two_configs_are_a_difference_and_no_plateau() -> None:
    low, high = [(v, "completed") for v in (1.0, 1.1, 1.2)], [(v, "completed") for v in (9.0, 9.1, 9.2)]
    assert plateau_of({"a": low, "b": low, "c": low, "d": high}) is None
    assert plateau_of({"a": low, "b": low, "c": [*low[:2], high[0]], "d": low}) == NotEscaped(1.2, 1, 12)


def test_divergences_count_as_not_escaped_and_crashes_say_nothing() -> None:
    fine = [(1.0, "completed"), (1.1, "completed")]
    assert plateau_of({"a": [*fine, (None, "diverged")], "b": fine}) == NotEscaped(None, 1, 5)
    assert plateau_of({"a": [*fine, (None, "crashed")], "b": fine}) is None
    assert has_escaped((None, "plateaued"), None) is False and has_escaped((None, "crashed"), 3.0) is None
    assert has_escaped((2.0, "completed"), 2.0) is True and has_escaped((2.1, "completed"), 2.0) is False


def test_of_several_wide_gaps_the_widest_parts_the_groups() -> None:
    """Nine alike configs may have a gap among themselves by chance; the base, far above, is a difference."""
    close = [(v, "completed") for v in (1.0, 1.001, 1.002, 1.003, 1.0, 1.002, 1.05, 1.051, 1.052)]
    base = [(v, "completed") for v in (400.0, 401.0, 402.0)]
    assert gap_above([v for v, _ in [*close, *base]]) == 1.052
    assert plateau_of({"base": base, "a": close[::3], "b": close[1::3], "c": close[2::3]}) is None
