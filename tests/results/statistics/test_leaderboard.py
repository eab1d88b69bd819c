"""The order of the leaderboard and the few numbers beside it; noise, and what it makes of a difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results import Store, load
from results.statistics.leaderboard import (
    CONTRADICTS,
    ESTABLISHED,
    NOT_ESTABLISHED,
    Noise,
    counts,
    leaderboard,
    paired_noise,
    pooled_noise,
    rank_correlation,
    verdict,
)
from results.store.statuses import STATUSES

Row = dict[str, Any]


def test_completed_trials_lead_by_value_and_stopped_ones_follow_by_rung(campaign: Path) -> None:
    board = leaderboard(load(campaign).trials)
    assert board["number"].tolist() == [1, 0, 5, 6, 3, 2]
    assert board["rank"].dropna().tolist() == [1, 2, 3]
    assert board["is_base"].tolist() == [False, True, False, False, False, False]


def test_only_completed_trials_are_compared_with_the_base(campaign: Path) -> None:
    differences = leaderboard(load(campaign).trials)["versus_base"]
    assert differences[:3].tolist() == pytest.approx([1.8423 - 1.8735, 0.0, 1.8911 - 1.8735])
    assert differences[3:].isna().all()


def test_a_base_that_failed_is_listed_last_and_nothing_is_compared(
    store: Store, make_trial: Callable[..., Row]
) -> None:
    store.write_trial(make_trial(0, "crashed"))
    store.write_trial(make_trial(1, "completed", 1.5, {"optimizer.matrix_lr": 0.1}))
    board = leaderboard(load(store.folder).trials)
    assert board["number"].tolist() == [1, 0]
    assert board["versus_base"].isna().all() and board["rank"].notna().tolist() == [True, False]


def test_several_base_trials_are_compared_with_by_their_mean(store: Store, make_trial: Callable[..., Row]) -> None:
    for number, value in enumerate((1.0, 2.0)):
        store.write_trial(make_trial(number, "completed", value))
    assert leaderboard(load(store.folder).trials)["versus_base"].tolist() == [-0.5, 0.5]


def test_an_empty_campaign_has_an_empty_leaderboard(store: Store) -> None:
    trials = load(store.folder).trials
    assert leaderboard(trials).empty
    assert counts(trials) == dict.fromkeys(STATUSES, 0)


def test_every_trial_is_counted_under_its_status(campaign: Path) -> None:
    found = {status: number for status, number in counts(load(campaign).trials).items() if number}
    assert found == {"running": 1, "completed": 3, "stopped": 3, "diverged": 1}


# --- noise ------------------------------------------------------------------------------------------------------------


def test_noise_is_pooled_around_each_groups_own_mean() -> None:
    noise = pooled_noise([[1.0, 3.0], [10.0, 10.0, 13.0], [7.0], []])
    assert noise is not None and noise.degrees_of_freedom == 3
    assert noise.sd == pytest.approx(((1 + 1 + 1 + 1 + 4) / 3) ** 0.5)


def test_without_replicates_noise_is_unknown() -> None:
    assert pooled_noise([[1.0], [2.0]]) is None


def test_more_runs_establish_smaller_differences() -> None:
    noise = Noise(sd=0.0018055, degrees_of_freedom=13)
    assert noise.smallest_difference(1, 1) == pytest.approx(2.1604 * 0.0018055 * 2**0.5, rel=1e-4)
    assert noise.smallest_difference(2, 3) == pytest.approx(2.1604 * 0.0018055 * (1 / 2 + 1 / 3) ** 0.5, rel=1e-4)


@pytest.mark.parametrize(
    ("difference", "claim", "expected"),
    [
        (-0.0056, -1.0, ESTABLISHED),
        (0.0056, 1.0, ESTABLISHED),
        (-0.0056, None, ESTABLISHED),
        (0.0056, 0.0, ESTABLISHED),
        (0.0056, -0.001, CONTRADICTS),
        (-0.0056, 1.0, CONTRADICTS),
        (0.0055, -1.0, NOT_ESTABLISHED),
        (-0.0055, -1.0, NOT_ESTABLISHED),
        (0.0, -1.0, NOT_ESTABLISHED),
    ],
)
def test_a_difference_beyond_the_noise_is_established_or_contradicts(
    difference: float, claim: float | None, expected: str
) -> None:
    noise = Noise(sd=0.0018055, degrees_of_freedom=13)  # two single runs: 0.005516
    assert verdict(difference, noise, 1, 1, claim) == expected


def test_nothing_is_established_without_replicates() -> None:
    assert verdict(-5.0, None, 1, 1, -1.0) == NOT_ESTABLISHED


def test_the_rank_correlation_counts_ties_by_their_mean_rank() -> None:
    found = rank_correlation(pd.Series([1.0, 2.0, 2.0, 9.0, 5.0]), pd.Series([1.0, 3.0, 2.0, 4.0, 50.0]), 5)
    assert found is not None
    assert found.value == pytest.approx(8.5 / 95**0.5)  # of the ranks 1, 2.5, 2.5, 5, 4 and 1, 3, 2, 4, 5
    assert -1 < found.low < found.value < found.high < 1


def test_the_interval_of_a_correlation_narrows_with_independent_trainings() -> None:
    first, second = pd.Series(range(20)), pd.Series([*range(2, 20), 0, 1])
    few, many = rank_correlation(first, second, 8), rank_correlation(first, second, 20)
    assert few is not None and many is not None and few.value == many.value and few.pairs == many.pairs == 20
    assert few.low < many.low < many.value < many.high < few.high


def test_a_perfect_order_has_a_correlation_of_one() -> None:
    found = rank_correlation(pd.Series([0.1, 0.2, 0.3, 0.7]), pd.Series([1.0, 2.0, 4.0, 5.0]), 4)
    assert found is not None and (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_a_correlation_of_nothing_is_none() -> None:
    assert rank_correlation(pd.Series([1.0, 2.0, 3.0]), pd.Series([1.0, 2.0, 3.0]), 3) is None
    assert rank_correlation(pd.Series([1.0, 1.0, 1.0, 1.0]), pd.Series([1.0, 2.0, 3.0, 4.0]), 4) is None


def test_paired_noise_is_what_is_left_beside_groups_and_seeds() -> None:
    """Against the textbook formula of the two-way layout, of which every cell is filled."""
    draw = np.random.default_rng(5)
    values = draw.normal(size=(4, 6)) + 10 * draw.normal(size=(4, 1)) + 10 * draw.normal(size=(1, 6))
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    noise = paired_noise([dict(enumerate(row)) for row in values])
    assert noise is not None and noise.degrees_of_freedom == 15
    assert noise.sd == pytest.approx(float(np.sqrt((rest**2).sum() / 15)))


def test_paired_noise_takes_groups_on_fewer_seeds_and_is_unknown_without_a_rest() -> None:
    draw = np.random.default_rng(6)
    values = draw.normal(size=(3, 400))
    noise = paired_noise([dict(enumerate(values[0])), dict(enumerate(values[1])), dict(enumerate(values[2, :100]))])
    assert noise is not None and noise.degrees_of_freedom == 900 - 402
    assert noise.sd == pytest.approx(1.0, rel=0.1)
    assert paired_noise([]) is None
    assert paired_noise([{1: 0.0}, {1: 1.0}]) is None


# --- each of these fails for a change of one sign, limit or argument (docs/mutations.md) ------------------------------


def test_a_perfect_correlation_has_no_width_in_either_direction() -> None:
    up = pd.Series([1.0, 2.0, 3.0, 4.0])
    for other, value in ((up, 1.0), (-up, -1.0)):
        found = rank_correlation(up, other, 4)
        assert found is not None and (found.value, found.low, found.high, found.pairs) == (value, value, value, 4)


def test_two_different_values_are_enough_for_a_correlation() -> None:
    two, many = pd.Series([1.0, 1.0, 2.0, 2.0]), pd.Series([1.0, 2.0, 3.0, 4.0])
    for found in (rank_correlation(two, many, 4), rank_correlation(many, two, 4)):
        assert found is not None and found.value == pytest.approx(0.8944, abs=1e-4)


def made_up(**columns: list[Any]) -> pd.DataFrame:
    """Three trials, the last of which is no completed one."""
    common = {"key": ["a", "b", "c"], "status": ["completed", "completed", "stopped"], "value": [2.0, 1.0, np.nan]}
    common |= {"rung": [None, None, 60.0], "last_value": [2.0, 1.0, 3.0], "is_base": [True, False, False]}
    return pd.DataFrame(common | columns, index=[7, 3, 5])


def test_a_leaderboard_has_rows_from_zero_and_whole_ranks_and_no_column_beside() -> None:
    trials = made_up()
    board = leaderboard(trials)
    assert board.index.tolist() == [0, 1, 2] and str(board["rank"].dtype) == "Int64"
    assert set(board.columns) == {*trials.columns, "rank", "versus_base", "front"}


def test_whether_a_trial_is_the_base_may_be_null() -> None:
    board = leaderboard(made_up(is_base=[True, None, None]))
    assert board["is_base"].tolist() == [False, True, False] and board["is_base"].dtype == bool
    assert board["versus_base"].tolist()[:2] == [-1.0, 0.0]


def test_runs_after_the_search_are_not_on_the_leaderboard_and_a_null_stage_is_the_search() -> None:
    board = leaderboard(made_up(stage=["search", "confirm", None]))
    assert board["key"].tolist() == ["a", "c"]
    assert leaderboard(made_up())["key"].tolist() == ["b", "a", "c"], "old campaigns have no stage"


def test_stopped_trials_stand_by_rung_then_by_last_value_then_by_key() -> None:
    stopped = {"status": ["stopped"] * 3, "is_base": [False] * 3, "value": [np.nan] * 3}
    for rung, last, order in (([60.0] * 3, [3.0, 2.0, 3.0], "bac"), ([60.0, 60.0, 120.0], [1.0, 1.0, 9.0], "cab")):
        for keys in ("abc", "bac"):
            at = ["abc".index(key) for key in keys]
            board = leaderboard(
                made_up(key=list(keys), rung=[rung[i] for i in at], last_value=[last[i] for i in at], **stopped)
            )
            assert "".join(board["key"]) == order


def test_the_interval_of_a_rank_correlation_is_that_of_bonett_and_wright() -> None:
    """At 0.9 and 28 trainings: a half width of 1.95996 sqrt(1.405 / 25) = 0.46464 around Fisher's z of 1.47222."""
    found = rank_correlation(pd.Series([1, 2, 3, 4, 5]), pd.Series([1, 2, 3, 5, 4]), 28)
    assert found.value == pytest.approx(0.9)
    assert (found.low, found.high) == pytest.approx((np.tanh(1.47222 - 0.46464), np.tanh(1.47222 + 0.46464)), abs=1e-4)
