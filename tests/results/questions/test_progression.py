"""The best so far, what it cost, and what other orders of the same trials would have given."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from results import load
from results.questions.progression import progression

VALUES = [1.9, None, 1.5, 1.8, None, 1.2]  # of trials that ended in this order; None: without a value
COSTS = [1.0, 0.5, 1.0, 1.0, 0.25, 2.0]


@pytest.fixture
def six(ended, written):
    rows = [
        ended(number, "completed" if value else "stopped", value or 2.0, {"optimizer.matrix_lr": 0.1 + number},
              spent=240 * cost, tokens=int(1000 * cost), train_seconds=6 * cost, eval_seconds=4 * cost)
        for number, (value, cost) in enumerate(zip(VALUES, COSTS, strict=True))
    ]  # fmt: skip
    return written(rows)


def test_the_best_so_far_falls_in_the_order_in_which_trials_ended(six) -> None:
    found = progression(six)
    assert found["trial"].tolist() == [0, 1, 2, 3, 4, 5]
    assert found["best"].tolist() == [1.9, 1.9, 1.5, 1.5, 1.5, 1.2]
    assert found["is_better"].tolist() == [True, False, True, False, False, True]
    assert found["value"].isna().tolist() == [False, True, False, False, True, False], "a stopped one has no value"


def test_what_was_spent_is_summed_on_every_axis(six) -> None:
    found = progression(six)
    sums = list(itertools.accumulate(COSTS))
    assert found["trials"].tolist() == [1, 2, 3, 4, 5, 6] and found["trainings"].tolist() == pytest.approx(sums)
    assert found["tokens"].tolist() == pytest.approx([1000 * x for x in sums])
    assert found["device_seconds"].tolist() == pytest.approx([10 * x for x in sums])


def orders(costs: list[float]) -> pd.DataFrame:
    """Mean, band and share of the orders with a value after the sums of ``costs``: by going through all 720 orders."""
    places = list(itertools.accumulate(costs))
    best: list[list[float]] = [[] for _ in places]
    for order in itertools.permutations(range(6)):
        spent = list(itertools.accumulate(costs[i] for i in order))
        for place, found in zip(places, best, strict=True):
            done = [VALUES[i] for i, at in zip(order, spent, strict=True) if at <= place + 1e-9]
            known = [value for value in done if value is not None]
            found += [min(known)] if known else []
    rows = []
    for found in best:
        found.sort()
        low, high = (found[math.ceil(q * len(found) - 1e-9) - 1] for q in (0.05, 0.95))
        rows.append((np.mean(found), low, high, len(found) / 720))
    return pd.DataFrame(rows, columns=["random_mean", "random_low", "random_high", "random_known"])


def test_by_trials_a_random_order_is_worked_out_exactly(six) -> None:
    expected = orders([1.0] * 6)
    pd.testing.assert_frame_equal(progression(six)[list(expected)], expected)


@pytest.mark.parametrize("by", ["trainings", "tokens", "device_seconds"])
def test_by_what_trials_cost_it_is_drawn_and_close_to_all_orders_and_the_same_each_time(six, by) -> None:
    expected, found = orders(COSTS), progression(six, by)
    assert found["random_mean"].tolist() == pytest.approx(expected["random_mean"].tolist(), abs=0.02)
    assert found["random_known"].tolist() == pytest.approx(expected["random_known"].tolist(), abs=0.04)
    assert found["random_low"].tolist()[2:] == expected["random_low"].tolist()[2:]
    pd.testing.assert_frame_equal(found, progression(six, by))


@pytest.mark.parametrize("by", ["trials", "tokens"])
def test_in_the_end_every_order_has_found_the_best(by) -> None:
    last = progression(load("results/recorded/parameter_golf"), by).iloc[-1]
    assert last["best"] == last["random_low"] == last["random_high"] == pytest.approx(last["random_mean"], rel=1e-12)
    assert last["random_known"] == 1 and last["trials"] == 142


@pytest.mark.parametrize("by", ["trials", "trainings"])
def test_a_search_that_learns_lies_above_random_order_and_a_good_start_below(ended, written, by) -> None:
    better = [2.0 - 0.1 * number for number in range(8)]
    for name, values in (("learns", better), ("began-well", better[::-1])):
        rows = [ended(n, "completed", value, {"optimizer.matrix_lr": n + 1.0}) for n, value in enumerate(values)]
        found = progression(written(rows, name=name), by)[:-1]  # all orders end alike
        above = found["best"] > found["random_mean"]
        assert above.all() if name == "learns" else not above.any()


def test_many_trials_are_summed_to_the_last_digit(ended, written) -> None:
    """The exact way leaves out the tails: beside the formula of the hypergeometric distribution, whole."""
    draw = np.random.default_rng(2)
    values = draw.normal(size=300).round(6)
    rows = [ended(n, "completed", float(value), {"optimizer.matrix_lr": n + 1.0}) for n, value in enumerate(values)]
    found, ladder = progression(written(rows)), np.sort(values)
    for count in (1, 2, 17, 150, 299, 300):
        shares = [math.comb(299 - i, count - 1) / math.comb(300, count) for i in range(300)]
        assert found["random_mean"][count - 1] == pytest.approx(float(ladder @ shares), rel=1e-9)


def test_failures_only_have_costs_and_no_best(ended, written) -> None:
    found = progression(written([ended(0, "diverged"), ended(1, "crashed", None, {"model.tied": False})]))
    assert len(found) == 2 and found[["best", "random_mean", "random_low", "random_high"]].isna().all(axis=None)
    assert found["random_known"].tolist() == [0, 0] and found["tokens"].tolist() == [2400, 4800]
    assert progression(written([ended(0, "diverged")], name="one"), "tokens")["random_known"].tolist() == [0]


def test_one_trial_is_its_own_random_order(ended, written) -> None:
    (row,) = progression(written([ended(0, "completed", 1.5)])).to_dict("records")
    assert row["best"] == row["random_mean"] == row["random_low"] == row["random_high"] == 1.5 and row["is_better"]


def test_trials_that_run_and_settings_that_made_no_trial_are_not_there(ended, written) -> None:
    none = ended(1, "infeasible", None, {"model.tied": False}, config="null")
    rows = [ended(0, "completed", 1.5), none, ended(2, "running", 1.1, {"optimizer.matrix_lr": 0.1}, ended_at=None)]
    assert progression(written(rows))["trial"].tolist() == [0]
    assert progression(written([], name="empty")).empty


def test_runs_of_a_confirmation_are_no_trials(confirmed) -> None:
    found = progression(confirmed())
    assert found["trial"].tolist() == [0, 1, 2, 3, 4, 5] and found["best"].iloc[-1] == 1.7


def test_where_nobody_counts_tokens_their_column_is_null(ended, written) -> None:
    rows = [ended(n, "completed", 1.5 - n, {"optimizer.matrix_lr": 0.1} if n else {}, tokens=None) for n in (0, 1)]
    campaign = written(rows)
    assert progression(campaign)["tokens"].isna().all()
    assert progression(campaign, "tokens")["random_mean"].isna().all()
    assert progression(campaign, "trainings")["random_mean"].notna().all()


def test_an_axis_that_does_not_exist_is_refused_with_the_nearest(six) -> None:
    with pytest.raises(ValueError, match=r"by is 'token': did you mean 'tokens'\?"):
        progression(six, "token")
