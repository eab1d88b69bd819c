from __future__ import annotations

import dataclasses

import pytest

import search_spaces
from trainable.config import Budget
from trainable.scaling import scaling_parameters
from trainable.worker.fidelity import BRANCH_FRACTION
from tuner.early_stopping import bracket_shares
from tuner.plan.cost import expected_share, plan_search, tokens_of, waves
from tuner.plan.trial_cost import Beside


def with_budget(base, **limits):
    return dataclasses.replace(base, budget=Budget(**limits))


def test_the_cost_of_a_search_in_tokens_and_seconds(toy_base) -> None:
    found = plan_search(toy_base, trials=30, slots=4, stopper="asha", tokens_per_second=640.0)
    assert found.rungs == [60, 120] and (found.budget, found.unit) == (240.0, "steps")
    assert found.tokens == 240 * 64 and found.seconds == 24.0
    assert found.expected_share == pytest.approx((60 + 60 / 2 + 120 / 4) / 240)


def test_the_share_of_evaluations_in_a_trial_is_known_where_they_are(toy_base) -> None:
    beside = Beside(start=2.0, on_the_way=1.0, at_the_end=4.0)
    found = plan_search(toy_base, 30, 4, "asha", 640.0, beside=beside, reports=3)
    assert found.whole_seconds == 24 + 2 + 5 * 1 + 4
    assert found.evaluation_share == pytest.approx(9 / 35)
    assert plan_search(toy_base, 30, 4, "asha", None, beside=beside).evaluation_share is None
    unknown = Beside(start=2.0, known=False)
    assert plan_search(toy_base, 30, 4, "asha", 640.0, beside=unknown).evaluation_share is None


def test_without_early_stopping_every_trial_costs_all_of_its_budget(toy_base) -> None:
    found = plan_search(toy_base, 30, 4, stopper="none", tokens_per_second=640.0)
    assert found.rungs == [] and found.expected_share == 1.0


@pytest.mark.parametrize(("milestones", "share"), [([], 1.0), ([40], 40 / 120 + 80 / 120 / 2)])
def test_a_half_goes_on_at_each_rung(milestones, share) -> None:
    assert expected_share(milestones, 120.0) == pytest.approx(share)


def test_the_first_limit_reached_decides_how_many_tokens_a_run_takes(toy_base) -> None:
    per_token = toy_base.model.flops_per_token(toy_base.data.vocab_size, toy_base.data.seq_len)
    assert tokens_of(with_budget(toy_base, steps=10)) == 640
    assert tokens_of(with_budget(toy_base, steps=10, tokens=600)) == 600
    assert tokens_of(with_budget(toy_base, steps=10, flops=500 * per_token)) == 500
    assert tokens_of(with_budget(toy_base, seconds=9.0)) is None


def test_a_ratio_is_counted_in_parameters_without_building_them(toy_base) -> None:
    network = toy_base.model.build(260, 16)
    assert tokens_of(with_budget(toy_base, param_data_ratio=0.5)) == scaling_parameters(network) // 2
    full = search_spaces.load("nanochat").scale("full").base
    assert tokens_of(full) == pytest.approx(8 * (24 * 12 * 1536**2 + 1536 * 32_768), rel=1e-3)  # its own vocabulary
    assert round(tokens_of(full) / full.data.batch_tokens) == 5568  # steps of the recorded run


def test_a_folder_of_shards_brings_a_vocabulary_that_is_not_known_before(toy_base, tmp_path) -> None:
    (tmp_path / "some_train_0.bin").touch()
    shards = dataclasses.replace(toy_base, data=dataclasses.replace(toy_base.data, source=str(tmp_path)))
    assert tokens_of(with_budget(shards, param_data_ratio=0.5)) is tokens_of(with_budget(shards, flops=10**9)) is None
    assert tokens_of(with_budget(shards, param_data_ratio=0.5, steps=10)) == 640


def test_epochs_are_of_all_the_data_whatever_the_other_limits_are(toy_base) -> None:
    assert tokens_of(with_budget(toy_base, epochs=0.5)) is tokens_of(with_budget(toy_base, epochs=0.5, steps=9)) is None
    late = dataclasses.replace(with_budget(toy_base, steps=9), horizon=Budget(epochs=2.0))
    assert tokens_of(late) is None
    found = plan_search(with_budget(toy_base, epochs=0.5), 10, 2, True, 640.0)
    assert (found.tokens, found.seconds, found.rungs, found.unit) == (None, None, [0.125, 0.25], "epochs")
    assert found.expected_share == pytest.approx(0.5, rel=1e-3)


def test_a_budget_of_seconds_needs_no_speed(toy_base) -> None:
    found = plan_search(with_budget(toy_base, seconds=30.0), 10, 2, True, None)
    assert (found.tokens, found.seconds) == (None, 30.0)


def test_without_a_speed_nothing_is_said_of_seconds(toy_base) -> None:
    found = plan_search(toy_base, 10, 2, True, None)
    assert found.seconds is None


def test_seconds_and_another_limit_bound_each_other(toy_base) -> None:
    short, long = (plan_search(with_budget(toy_base, steps=240, seconds=s), 10, 2, "none", 640.0) for s in (10.0, 1e5))
    assert (short.tokens, short.seconds) == (6400, 10.0) and (long.tokens, long.seconds) == (240 * 64, 24.0)


def test_a_replay_takes_as_long_as_its_longest_training_or_the_slots_that_are_left() -> None:
    assert waves([10.0, 1.0, 1.0], 64) == 10.0
    assert waves([3.0, 1.0, 1.0, 2.0], 2) == 4.0
    assert waves([1.0, 2.0], 1) == 3.0


def test_the_share_counts_what_a_fidelity_trains_beside_the_run() -> None:
    milestones = [30.0, 90.0]
    truncate = expected_share(milestones, 270.0)
    assert truncate == pytest.approx((30 + 60 / 2 + 180 / 4) / 270)
    assert expected_share(milestones, 270.0, "asha", "complete") == pytest.approx((30 + 90 / 2 + 270 / 4) / 270)
    extra = BRANCH_FRACTION * (30 + 90 / 2) / 270
    assert expected_share(milestones, 270.0, "asha", "branch") == pytest.approx(truncate + extra)


def test_hyperband_costs_more_than_asha_and_the_median_rule_stops_half() -> None:
    milestones = [30.0, 90.0]
    first, second, whole = bracket_shares(2)
    expected = first * expected_share(milestones, 270.0) + second * (90 + 180 / 2) / 270 + whole
    assert expected_share(milestones, 270.0, "hyperband") == pytest.approx(expected)
    assert expected_share(milestones, 270.0, "median") == pytest.approx((30 + 60 / 2 + 180 / 4) / 270)


def test_passes_are_counted_in_tokens_once_the_data_are_there(toy_base) -> None:
    passes = with_budget(toy_base, epochs=0.5)
    assert tokens_of(passes, 10_001) == 5001, "at most: a half is rounded up"
    assert tokens_of(with_budget(toy_base, epochs=0.5, steps=9), 10_000) == 576
    assert tokens_of(with_budget(toy_base, steps=10), 10_000) == 640, "no pass is asked for"
    late = dataclasses.replace(with_budget(toy_base, steps=10), horizon=Budget(epochs=1.0))
    assert tokens_of(late) is None and tokens_of(late, 10_000) == 640
    told = plan_search(passes, 4, 2, "none", tokens_per_second=100.0, pass_tokens=10_000)
    assert (told.tokens, told.seconds) == (5000, 50.0)
    untold = plan_search(passes, 4, 2, "none", tokens_per_second=100.0)
    assert untold.tokens is untold.seconds is None
