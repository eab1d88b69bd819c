"""Trials of a study as data: values, guesses at what stopped trials come to, failures, seconds, what runs."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search_spaces.own_train import own_space
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.model.observations import observed, warped
from tuner.proposals.sampler import distribution

SPACE = own_space("train", {"x": "0..1"}, {"x": 0.5}, 10, 0, "loss")[0]


def trial(x: float, value=None, state=TrialState.COMPLETE, rungs=None, constraints=None, **attributes):
    return create_trial(
        state=state, value=value, params={"x": x}, distributions={"x": distribution(SPACE.knob("x").domain)},
        intermediate_values=rungs or {}, constraints=constraints, user_attrs=attributes,
    )  # fmt: skip


def seen(*trials):
    study = optuna.create_study()
    study.add_trials(trials)
    return observed(study.get_trials(), Coordinates(SPACE))


def test_nothing_is_known_before_there_is_a_value() -> None:
    assert seen(trial(0.1, state=TrialState.PRUNED)) is None


def test_trials_are_told_apart_by_how_they_ended() -> None:
    found = seen(
        trial(0.1, 2.0, train_seconds=30.0),
        trial(0.2, 1.0),
        trial(0.3, 1.5, constraints={"parameters": 0.2}),  # over a limit, with a value
        trial(0.4, state=TrialState.PRUNED, constraints={"trains": 1.0}, rungs={5: 0.1}),  # diverged, on a good way
        trial(0.5, state=TrialState.PRUNED),  # no valid run
        trial(0.6, state=TrialState.FAIL),
    )
    assert list(found.valued[:, 0]) == [0.1, 0.2, 0.3]
    assert dict(zip(found.tried[:, 0], found.trains, strict=True)) == {0.1: 1, 0.2: 1, 0.3: -1, 0.4: -1, 0.5: -1}
    assert list(found.timed[:, 0]) == [0.1] and found.log_seconds == pytest.approx(np.log([30.0]))
    assert len(found.known) == 6
    assert found.values[1] < found.values[2] < found.values[0]
    assert list(found.allowed) == [True, True, False]


def test_a_stopped_trial_is_a_guess_of_its_end_that_is_surer_the_better_its_rung_orders_ends() -> None:
    generator = np.random.default_rng(0)
    ends = np.linspace(1.0, 2.0, 12)

    def guess(noise: float, at_rung: float):
        done = [trial(0.01 * n, e, rungs={5: e + 1 + noise * generator.normal()}) for n, e in enumerate(ends)]
        found = seen(*done, trial(0.9, state=TrialState.PRUNED, rungs={5: at_rung}))
        return found.values[-1] - found.values[:-1], found.extra[-1]

    low, sure = guess(0.0, 2.2)
    high, _ = guess(0.0, 2.9)
    _, unsure = guess(2.0, 2.2)
    assert (low < 0).sum() == 9 and (high < 0).sum() == 2  # its prior draws it to the middle
    assert 0 < sure < unsure


def test_a_rung_that_nobody_finished_tells_nothing() -> None:
    found = seen(trial(0.1, 1.0, rungs={5: 2.0}), trial(0.9, state=TrialState.PRUNED, rungs={3: 2.0}))
    assert len(found.valued) == 1 and len(found.tried) == 1


def test_what_is_bad_is_only_bad_and_good_values_are_spread() -> None:
    ends = np.array([1.0, 1.01, 1.05, 1.1, 1.2, 1.4, 90.0])
    values, slope = warped(ends, ends)
    assert values[1] - values[0] > (values[5] - values[4]) / 5
    assert values[6] - values[5] < 3 * (values[5] - values[0])
    assert slope[0] > slope[3] > 0
    assert list(np.argsort(values)) == list(range(7))
    assert np.isfinite(warped(np.array([1.0]), np.array([1.0, 0.5]))[0]).all()


def test_runs_on_other_seeds_are_values_of_their_configs_and_no_winners() -> None:
    study = optuna.create_study()
    study.add_trials([trial(0.1, 1.0), trial(0.2, 2.0), trial(0.3, 3.0)])
    again = [TrialEnd({"x": 0.1}, "completed", 1.5), TrialEnd({"x": 0.1}, "diverged", None)]
    found = observed(study.get_trials(), Coordinates(SPACE), again)
    assert list(found.valued[:, 0]) == [0.1, 0.2, 0.3, 0.1] and list(found.allowed) == [True] * 3 + [False]
    assert found.values[0] < found.values[3] < found.values[1] and not found.extra.any()
    assert len(found.tried) == len(found.known) == 3


def test_failures_tell_the_seconds_that_they_took() -> None:
    limits = {"trains": 1.0}
    found = seen(
        trial(0.1, 2.0, train_seconds=30.0),
        trial(0.2, state=TrialState.PRUNED, constraints=limits, train_seconds=3.0),
        trial(0.3, state=TrialState.PRUNED, constraints=limits),  # failed before its first step was timed
        trial(0.4, state=TrialState.PRUNED, train_seconds=0.0),  # no valid run
        trial(0.5, 3.0, constraints={"parameters": 0.5}, train_seconds=40.0),  # trained, for nothing
    )
    assert sorted(found.failed_seconds) == [3.0, 40.0]
