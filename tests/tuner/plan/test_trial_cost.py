"""A trial takes longer than its training: its start and its evaluations are in the plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import search_spaces
from trainable.data import shards
from trainable.evaluation.ttt import TTT
from tuner.plan.cost import plan_search
from tuner.plan.trial_cost import START_SECONDS, Beside, beside, evaluations_at_the_end
from tuner.plan.wall_time import expect

SPEED = 1000.0


@pytest.fixture(scope="module")
def golf():
    return search_spaces.load("parameter_golf").scale("proxy").base


def test_an_evaluation_takes_a_third_of_the_time_of_training_on_as_many_tokens(golf) -> None:
    found = beside(golf, SPEED)
    assert found.on_the_way == found.at_the_end == pytest.approx(golf.evaluation.tokens / 3 / SPEED)
    assert found.of(2) == pytest.approx(START_SECONDS + golf.evaluation.tokens / SPEED)


def test_the_last_evaluation_costs_more_where_windows_overlap_or_the_model_learns_on_the_way(golf) -> None:
    plain = beside(golf, SPEED)
    with_stride = replace(golf.evaluation, stride=golf.evaluation.seq_len // 4)
    found = beside(replace(golf, evaluation=with_stride), SPEED)
    assert found.on_the_way == plain.on_the_way and found.at_the_end == pytest.approx(4 * plain.at_the_end)
    learning = replace(golf, evaluation=replace(golf.evaluation, ttt=TTT(epochs=3)))
    assert beside(learning, SPEED).at_the_end == pytest.approx(10 * plain.at_the_end)


def test_golfs_full_scale_scores_the_whole_split_at_the_end_and_an_eighth_of_it_on_the_way() -> None:
    """62,021,632 targets, by the competition's notes; its script "always uses the full fineweb_val split"."""
    full = search_spaces.load("parameter_golf").scale("full").base
    assert full.evaluation.tokens is None and full.evaluation.seq_len == full.data.seq_len == 1024
    found = beside(full, SPEED)
    assert found.known and found.at_the_end == pytest.approx(62_021_632 / 3 / SPEED)
    assert found.on_the_way == pytest.approx(8_388_608 / 3 / SPEED)
    assert evaluations_at_the_end(full) == pytest.approx(62_021_632 / 8_388_608)
    for scale in ("proxy", "replay"):
        assert search_spaces.load("parameter_golf").scale(scale).base.evaluation.tokens is not None


def test_a_split_in_shards_is_counted_by_their_headers(golf, tmp_path) -> None:
    for split, count in (("train", 9), ("val", 3001), ("val_more", 1000)):
        shards.write(tmp_path / f"text_{split}_000000.bin", np.zeros(count, dtype=np.uint16))
    data = replace(golf.data, source=str(tmp_path))
    whole = replace(golf, data=data, evaluation=replace(golf.evaluation, tokens=None))
    assert beside(whole, SPEED).at_the_end == pytest.approx(4000 / 3 / SPEED)


@pytest.mark.parametrize("speed", [None, SPEED])
def test_evaluations_that_nobody_can_count_are_said_to_be_missing(golf, speed) -> None:
    whole_text = replace(golf, evaluation=replace(golf.evaluation, tokens=None))
    assert not beside(whole_text, speed).known and beside(whole_text, speed).of(3) == START_SECONDS


def test_a_search_takes_longer_by_its_evaluations_and_starts(toy_base) -> None:
    bare = plan_search(toy_base, 12, 4, "none", 640.0)  # 24 s a trial
    full = plan_search(toy_base, 12, 4, "none", 640.0, beside=Beside(2.0, 1.0, 3.0), reports=2)
    assert (bare.whole_seconds, full.whole_seconds, full.run_seconds) == (24.0, 31.0, 31.0)
    found = expect(full, "none", "truncate", repeats=3)
    assert found.compute == pytest.approx(12, rel=0.02), "a whole trial is one with its evaluations"
    assert sum(full.costs("truncate")) == pytest.approx(1.0)


def test_each_rung_has_its_evaluation_and_the_first_the_start(toy_base) -> None:
    found = plan_search(
        toy_base, 12, 4, "asha", 640.0, beside=Beside(2.0, 1.0, 3.0)
    )  # rungs at 60 and 120 of 240 steps
    assert found.whole_seconds == 24 + 2 + 2 * 1 + 3 and found.run_seconds == 24 + 2 + 3
    seconds = [cost * found.whole_seconds for cost in found.costs("truncate")]
    assert seconds == pytest.approx([6 + 2 + 1, 6 + 1, 12 + 3])


def test_a_plan_without_a_speed_is_in_whole_trials_as_before(toy_base) -> None:
    found = plan_search(toy_base, 12, 4, "asha", None, beside=Beside(2.0, 1.0, 3.0))
    assert found.whole_seconds is found.run_seconds is None
    assert found.costs("truncate") == [0.25, 0.25, 0.5]
