"""The table of overheads says what the systems measured, and names a system that fails."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from benchmarks import overhead, overhead_systems

ENDS = [float(number) for number in range(50)] + [50 + 3.0 * number for number in range(51)]


def test_a_trial_takes_what_lies_between_two_ends_once_all_has_started() -> None:
    assert overhead.a_trial(ENDS) == pytest.approx(3.0)
    assert overhead.last_to_first(ENDS) == pytest.approx(3.0)
    assert overhead.last_to_first([float(number) for number in range(101)]) == pytest.approx(1.0)


def test_a_row_gives_the_seconds_of_a_trial_and_growth_by_processor_time_where_that_is_known() -> None:
    found = {"ends": ENDS, "driver_cpu": 5.0, "beyond_training": 0.02, "driver_mib": 300.4, "files": 7, "bytes": 1000}
    row = dict(zip(overhead.HEADINGS, overhead.cells("ours", 100, found), strict=True))
    assert row["a trial"] == "3000 ms" and row["last/first"] == "3.00" and row["driver CPU"] == "50 ms"
    assert (row["beyond"], row["driver MiB"], row["worker MiB"], row["bytes a trial"]) == ("20 ms", "300", "-", "10")
    steady = overhead.cells("ours", 100, {**found, "cpu_ends": list(range(101))})
    assert steady[overhead.HEADINGS.index("last/first")] == "1.00"


def test_our_driver_alone_ends_every_trial_and_says_what_it_took(tmp_path) -> None:
    found = overhead_systems.played(8, tmp_path)
    assert len(found["ends"]) == len(found["cpu_ends"]) >= 8 and found["driver_cpu"] > 0 < found["driver_mib"]
    assert list((tmp_path / "campaign" / "trials").glob("*.parquet"))


def test_an_objective_of_the_peers_trains_to_each_rung_and_the_end(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path / "cache"))
    objective = overhead_systems.Objective(overhead_systems.make_text(tmp_path))
    base = objective.space.values_of(objective.base)
    reports = list(objective.reports(base))
    assert [step for step, _, _ in reports] == [*objective.milestones, objective.base.budget.amount]
    assert all(0 < value < 10 for _, value, _ in reports)


def test_a_system_that_fails_is_named_with_its_last_line(monkeypatch, capsys) -> None:
    failed = SimpleNamespace(returncode=1, stderr="Traceback\nValueError: no room\n", stdout="")
    monkeypatch.setattr(subprocess, "run", lambda *given, **more: failed)
    assert overhead.main(["--trials", "30", "--systems", "ours"]) == 2
    assert "ours failed: ValueError: no room" in capsys.readouterr().err


def test_too_few_trials_for_tenths_are_refused(capsys) -> None:
    assert overhead.main(["--trials", "29", "100"]) == 2
    assert "--trials 29 is too few" in capsys.readouterr().err
