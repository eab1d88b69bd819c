"""Campaigns are measured in device time or in trials, on parts of the recording and of the knobs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.surrogate import campaigns, compare, draws, models, small_spaces
from benchmarks.surrogate.campaigns import STOPPED, Ours
from benchmarks.surrogate.device import INVALID, Device
from tuner.early_stopping import PREDICTIVE


@pytest.fixture(scope="module")
def device(small, made_up) -> Device:
    return Device(small, made_up, "trees")


def test_a_run_that_is_stopped_is_charged_for_what_it_trained_and_told_as_stopped(device) -> None:
    method = Ours(device, 0, "random", "asha")
    trace = campaigns.run(device, method, 1, math.inf, 0, trials=30)
    counted = [status for status in trace.statuses if status != INVALID]
    assert len(counted) == 30 and 5 < counted.count(STOPPED) < 25
    taken = np.diff([0.0, *trace.seconds])
    trials = method.sampler.study.trials[: len(taken)]
    for seconds, status, trial in zip(taken, trace.statuses, trials, strict=True):
        whole = device.seconds(trial.params)
        if status == STOPPED:
            assert seconds == pytest.approx(whole * max(trial.intermediate_values) / device.small.base.budget.amount)
            assert trial.state.name == "PRUNED"
        elif status == "completed":
            assert seconds == pytest.approx(whole) and len(trial.intermediate_values) == 2


def test_predictive_termination_is_told_the_ends_that_it_learns_from(device) -> None:
    method = Ours(device, 0, "random", PREDICTIVE)
    trace = campaigns.run(device, method, 1, math.inf, 0, trials=30)
    ends = [trial.value for trial in method.sampler.study.trials if trial.state.name == "COMPLETE"]
    assert list(method.stopper.rule.ends.values()) == ends and len(ends) > 5
    assert trace.statuses.count(STOPPED) == len(method.stopper.stops)


def test_a_method_without_a_stopper_is_never_asked_to_stop(device) -> None:
    method = Ours(device, 0, "random")
    trace = campaigns.run(device, method, 1, math.inf, 0, trials=20)
    assert STOPPED not in trace.statuses
    assert not any(trial.intermediate_values for trial in method.sampler.study.trials)


def test_trials_that_could_not_be_built_do_not_count() -> None:
    trace = campaigns.Trace(
        [1.0, 1.0, 2.0, 3.0], [5.0, 5.0, 4.0, 3.0], ["completed", INVALID, "out of memory", "completed"]
    )
    assert [trace.best_after(trials) for trials in (1, 2, 3, 9)] == [5.0, 4.0, 3.0, 3.0]
    assert trace.valid == 3


def test_knobs_that_are_kept_are_the_bases_and_are_not_searched(small, made_up) -> None:
    kept = [knob.path for knob in small_spaces.SIZES]
    device, whole = Device(small, made_up, "trees", kept=kept), Device(small, made_up, "trees")
    base = small.space.values_of(small.base)
    point = draws.at_random(device.searched, np.random.default_rng(0))
    assert not point.keys() & set(kept) and device.base_point == {p: v for p, v in base.items() if p not in kept}
    full = device.whole(point)
    assert {path: full[path] for path in kept} == {path: base[path] for path in kept}
    assert device.train(point, 3) == whole.train(full, 3) and device.expected(point) == whole.expected(full)
    assert device.base_seconds == whole.base_seconds


def test_each_half_knows_the_runs_of_its_own_configs(small, made_up, monkeypatch) -> None:
    monkeypatch.setattr(compare.models, "KINDS", {"trees": models.Trees})
    one, other = compare.made(small, made_up, True, []).values()
    texts = [{str(point) for point in device.points} for device in (one, other)]
    assert not texts[0] & texts[1] and min(map(len, texts)) > 10
    assert len(one.points) + len(other.points) == sum(run.completed for run in made_up)


def test_a_method_whose_package_is_not_there_is_refused_before_any_campaign(made_up, monkeypatch, capsys) -> None:
    monkeypatch.setattr(compare.trainings, "read", lambda space, file: made_up)
    monkeypatch.setattr(compare, "NEEDED", {"random": ("no_such_package",)})
    assert compare.main(["--methods", "random"]) == 2
    assert "random needs the package no_such_package: pip install no_such_package" in capsys.readouterr().err


def test_a_knob_that_there_is_not_and_a_peer_without_its_interpreter_are_refused(made_up, monkeypatch, capsys) -> None:
    monkeypatch.setattr(compare.trainings, "read", lambda space, file: made_up)
    monkeypatch.setattr(compare, "FEWEST", 50)
    assert compare.main(["--keep", "model.num_layer", "--methods", "random"]) == 2
    assert "no knob 'model.num_layer'" in capsys.readouterr().err
    assert compare.main(["--methods", "SMAC3"]) == 2
    assert "SMAC3 runs in an interpreter of its own: name it with --peers PYTHON" in capsys.readouterr().err
