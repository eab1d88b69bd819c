"""Ray Tune's defaults on a surrogate's device: judged at the points of its curves, and told errors for failures."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.trial import TrialState

from benchmarks.surrogate import campaigns
from benchmarks.surrogate.device import INVALID, Device, Outcome
from tuner.failures import OUT_OF_MEMORY


@pytest.fixture(scope="module")
def device(small, made_up) -> Device:
    return Device(small, made_up, "trees")


@pytest.fixture
def method(device):
    return campaigns.methods()["Ray OptunaSearch + ASHA"](device, 1)


def told(method):
    return [(trial.state, trial.value) for trial in method.tune.searcher._ot_study.get_trials(deepcopy=False)]


def watched(method, outcome: Outcome) -> Outcome:
    """A trial that comes to this if nothing stops it."""
    number, _ = method.ask()
    found = yield_all(campaigns.watched(method, number, outcome))
    method.tell(number, found)
    return found


def yield_all(run):
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def test_a_stopped_run_costs_what_it_trained_and_its_last_value_is_told_once(method) -> None:
    good, worse = (Outcome("completed", 8.0, (loss + 0.3, loss + 0.2, loss + 0.1, loss)) for loss in (3.0, 4.0))
    assert watched(method, good) == good
    assert watched(method, worse) == Outcome(campaigns.STOPPED, 1.0)
    assert told(method) == [(TrialState.COMPLETE, 3.0), (TrialState.COMPLETE, 4.3)]


def test_a_run_is_judged_after_an_eighth_and_a_half(method) -> None:
    watched(method, Outcome("completed", 8.0, (3.3, 3.2, 3.1, 3.0)))
    found = watched(method, Outcome("completed", 8.0, (3.2, 9.0, 3.2, 2.0)))
    assert found == Outcome(campaigns.STOPPED, 4.0) and told(method)[-1] == (TrialState.COMPLETE, 3.2)


@pytest.mark.parametrize("status", [INVALID, OUT_OF_MEMORY, "diverged"])
def test_a_failed_run_is_an_error_without_a_value(method, status) -> None:
    watched(method, Outcome(status, 1.0))
    assert told(method) == [(TrialState.FAIL, None)]


def test_a_campaign_stops_runs_and_tells_every_end(device, method) -> None:
    trace = campaigns.run(device, method, 4, 6 * device.base_seconds, seed=0)
    states = [state for state, _ in told(method)]
    assert states.count(TrialState.FAIL) == sum(s not in ("completed", campaigns.STOPPED) for s in trace.statuses)
    assert states.count(TrialState.COMPLETE) == sum(s in ("completed", campaigns.STOPPED) for s in trace.statuses)
    assert 0.3 < np.mean([status == campaigns.STOPPED for status in trace.statuses]) < 1
