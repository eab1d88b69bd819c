"""Guesses at the ends of stopped trials: by a line through what finished trials had at the rung and at their end."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.trial import TrialState, create_trial

from tuner.proposals.model.stopped import RungRegressions


def finished(end: float, rungs: dict[int, float]):
    return create_trial(value=end, intermediate_values=rungs)


def stopped(rungs: dict[int, float]):
    return create_trial(state=TrialState.PRUNED, intermediate_values=rungs)


ENDS = np.linspace(1.0, 2.0, 200)


def test_many_finished_trials_say_what_a_difference_at_the_rung_comes_to() -> None:
    rungs = RungRegressions([finished(end, {5: 3 + 2 * (end - 1.5)}) for end in ENDS])
    end, deviation = rungs.guess(stopped({5: 3.6}))
    assert end == pytest.approx(1.8, abs=0.01) and deviation < 0.1


def test_a_rung_that_says_nothing_gives_the_middle_and_the_spread_of_the_ends() -> None:
    noise = np.random.default_rng(0).permutation(ENDS)
    rungs = RungRegressions([finished(end, {5: at}) for end, at in zip(ENDS, noise, strict=True)])
    end, deviation = rungs.guess(stopped({5: 1.9}))
    assert end == pytest.approx(1.5, abs=0.1) and deviation == pytest.approx(ENDS.std(), rel=0.1)


def test_the_last_rung_counts_and_one_that_none_finished_from_says_nothing() -> None:
    rungs = RungRegressions([finished(end, {5: end + 1, 10: end + 0.5}) for end in ENDS])
    assert rungs.guess(stopped({5: 9.0, 10: 2.0}))[0] == pytest.approx(1.5, abs=0.02)
    assert rungs.guess(stopped({5: 2.0, 20: 2.0})) is None


def test_one_finished_trial_is_hardly_believed() -> None:
    end, deviation = RungRegressions([finished(2.0, {5: 3.0})]).guess(stopped({5: 2.5}))
    assert end == pytest.approx(1.5) and deviation == pytest.approx(0.02 * np.sqrt(4 / 5))
