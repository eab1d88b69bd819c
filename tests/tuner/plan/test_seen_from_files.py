"""The time left that a reader of a campaign's files works out, beside that of the driver's own book."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from results.design import Design
from results.store.row_parts import with_all_columns
from tuner import status
from tuner.cli.time_left_of_search import time_left_of
from tuner.plan.seen_from_files import left_from_files, slots_seen, to_come_from_files, values_at_rungs

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def record(bench, trials: int, confirm: str | None = None, stopper: str = "asha") -> dict:
    """What a campaign.json says of the bench's campaigns."""
    kept = {"objectives": ["val_bpb"], "trials": trials, "stopper": stopper, "fidelity": "truncate", "confirm": confirm}
    return {**bench.store().campaign, **kept}


def told(bench) -> list:
    return [report for reports in bench.store().reports_by_key().values() for report in reports]


@pytest.mark.parametrize("events", [6, 12, 25, 40])
@pytest.mark.parametrize("confirm", [None, "2x2..4"])
def test_it_is_what_the_driver_says(bench, play, events, confirm) -> None:
    design = None if confirm is None else Design.parse(confirm)
    search = bench.search(trials=8, slots=2, confirm=design)
    now = [BEGAN]
    search.ledger.now = lambda: now[0]

    def pass_by(key: str) -> None:
        now[0] += timedelta(seconds=7)

    tune = play(search, on_report=pass_by)
    tune.run(events)
    ours = time_left_of(search)
    theirs = left_from_files(record(bench, 8, confirm), bench.rows(), told(bench), now[0])
    assert (ours is None) == (theirs is None)
    if ours is not None and len(search.live) == 2:
        assert theirs.middle == pytest.approx(ours.middle, rel=0.35, abs=15)


@pytest.mark.parametrize("events", [6, 12, 25])
def test_the_values_at_rungs_are_those_of_the_driver(bench, play, events) -> None:
    search = bench.search(trials=8, slots=2)
    play(search).run(events)
    ours = {entry.key: dict(entry.milestones) for entry in search.ledger.entries.values() if entry.milestones}
    assert ours and values_at_rungs(bench.rows(), told(bench)) == ours


def test_while_a_confirmation_runs_no_trial_is_to_come() -> None:
    """A small space may have had fewer configs than were asked for."""
    usual = {"config": "{}", "objective": "val_bpb", "budget": 240.0, "budget_unit": "steps"}
    searched = with_all_columns({**usual, "key": "a", "stage": "search", "status": "completed", "is_base": True})
    confirms = with_all_columns({**usual, "key": "b", "stage": "confirm", "status": "running", "is_base": True})
    kept = {"space": "toy", "objectives": ["val_bpb"], "trials": 8, "stopper": "asha", "confirm": "1x2"}
    assert to_come_from_files(kept, [searched]).to_start == 7
    assert to_come_from_files(kept, [searched, confirms]).to_start == 0


def test_the_slots_are_the_most_that_ran_at_once() -> None:
    def row(start: float, end: float | None):
        ends = None if end is None else BEGAN + timedelta(seconds=end)
        return with_all_columns({"started_at": BEGAN + timedelta(seconds=start), "ended_at": ends})

    rows = [row(0, 10), row(0, 12), row(1, 11), row(11, 30), row(12, None)]
    assert slots_seen(rows) == 3
    assert slots_seen([]) == 1


def test_a_record_that_lacks_the_number_of_trials_says_nothing(bench, play) -> None:
    play(bench.search(trials=4)).run(6)
    kept = {**record(bench, 4), "trials": None}
    assert left_from_files(kept, bench.rows(), told(bench), datetime.now(UTC)) is None


def test_the_status_says_it_while_a_driver_lives_and_not_after(bench, play, monkeypatch) -> None:
    play(bench.search(trials=30, slots=2)).run(12)
    store = bench.store()
    monkeypatch.setattr(type(store), "campaign", record(bench, 30), raising=False)
    for lives in (True, False):
        monkeypatch.setattr(status, "driver_lives", lambda folder, now, lives=lives: lives)
        monkeypatch.setattr(status.Store, "open", lambda folder: store)
        store.campaign = record(bench, 30)
        lines = status.status(bench.folder, datetime.now(UTC))
        assert any(line.startswith("time left: about ") for line in lines) == lives
