from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.time_left_recorded import as_of, moment, stretches
from results.store.row_parts import with_all_columns

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds):
    return BEGAN + timedelta(seconds=seconds)


def row(number, start, end, **cells):
    usual = {"key": f"key {number}", "number": number, "status": "completed", "started_at": at(start)}
    usual |= {"ended_at": at(end), "budget": 100.0, "budget_unit": "steps", "spent": 100.0, "value": 1.0}
    usual |= {"train_seconds": end - start - 3.0, "eval_seconds": 2.0, "wall_seconds": end - start}
    return with_all_columns(usual | cells)


def test_an_interruption_is_none_of_a_campaigns_time() -> None:
    rows = [row(0, 0, 100), row(1, 50, 120), row(2, 1000, 1100), row(3, 0, 1, reused_from="other")]
    running = stretches(rows)
    assert running == [(at(0), at(120)), (at(1000), at(1100))]
    assert moment(running, 60) == at(60) and moment(running, 130) == at(1010) and moment(running, 999) == at(1100)


def test_rows_are_put_back_to_what_they_were() -> None:
    rows = [row(0, 0, 100), row(1, 100, 200), row(2, 150, 250)]
    reports = {"key 1": [{"step": 25, "seconds": 23.0, "at": at(125)}, {"step": 50, "seconds": 46.0, "at": at(150)}]}
    ended, running = as_of(rows, reports, at(140))
    assert ended is rows[0]
    assert (running["status"], running["ended_at"], running["value"]) == ("running", None, None)
    assert (running["spent"], running["train_seconds"], running["wall_seconds"]) == (25.0, 23.0, 25.0)
    assert running["eval_seconds"] == pytest.approx(1.0), "what is left beside training and a start of 1 s"


def test_a_run_without_a_report_yet_has_spent_nothing() -> None:
    (running,) = as_of([row(0, 0, 100)], {}, at(20))
    assert running["spent"] is None and running["train_seconds"] is None and running["status"] == "running"
