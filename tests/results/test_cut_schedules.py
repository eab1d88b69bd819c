"""Where early stopping ended a schedule before its time, that is said."""

from __future__ import annotations

import json

import pytest

from results import load
from results.cut_schedules import cut_schedules
from results.page.data import page_data
from results.report import main

COSINE = {"type": "Cosine", "min_lr_frac": 0.1}
WARM_LEVEL = {"type": "Warmup", "frac": 0.1, "inner": {"type": "Constant"}}
WARM_COSINE = {"type": "Warmup", "frac": 0.1, "inner": COSINE}
LONG = {"type": "Budget", "steps": 480, "tokens": None}


@pytest.fixture
def stopped(make_trial, store):
    """A campaign with a trial that was stopped at step 60 under this schedule."""

    def make(schedule, horizon=None, status="stopped", rung=60.0, fidelity="truncate"):
        store.write_trial(make_trial(0, "completed", 2.0))
        config = json.dumps({"schedule": schedule, "horizon": horizon})
        row = make_trial(1, status, 2.5, {"model.tied": False}, config=config, rung=rung, cutoff=2.1)
        store.write_trial({**row, "reason": "rung 60: 2.5 > 2.1"})
        store.revise({"fidelity": fidelity})
        return load(store.folder)

    return make


@pytest.mark.parametrize(
    ("schedule", "horizon", "expected"),
    [(COSINE, None, 240.0), (WARM_COSINE, None, 240.0), (COSINE, LONG, 480.0), ({"type": "Constant"}, None, None),
     (WARM_LEVEL, None, None), (None, None, None)],
)  # fmt: skip
def test_a_schedule_that_still_falls_was_cut_short(stopped, schedule, horizon, expected) -> None:
    results = stopped(schedule, horizon)
    found = cut_schedules(results.campaign, results.trials)
    assert [None if value != value else value for value in found] == [None, expected]


@pytest.mark.parametrize("other", [{"fidelity": "branch"}, {"fidelity": "complete"}, {"status": "crashed"}])
def test_a_rung_that_judges_by_a_decay_of_its_own_cuts_nothing_short(stopped, other) -> None:
    results = stopped(COSINE, **other)
    assert cut_schedules(results.campaign, results.trials).isna().all()


def test_the_report_and_the_page_say_so(stopped, capsys) -> None:
    results = stopped(COSINE)
    assert main([str(results.store.folder), "--no-page"]) == 0
    note = "stopped @N: ended early after N steps, before its schedule had finished, with the value it had there."
    assert note in capsys.readouterr().out
    assert page_data(results, results.store.folder)["trials"]["cut"] == [None, 240]


def test_of_a_constant_rate_nothing_is_said(stopped, capsys) -> None:
    assert main([str(stopped({"type": "Constant"}).store.folder), "--no-page"]) == 0
    assert "ended early after N steps, with the value" in capsys.readouterr().out
