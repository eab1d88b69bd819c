from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock

from results.compact import compact
from results.design import Design
from tuner import status
from tuner.campaign import lock


def test_a_campaign_under_way_is_told_with_its_best_and_what_runs(bench, result_of) -> None:
    search = bench.search(slots=2)
    first, second = search.next().key, search.next().key
    for key in (first, second):
        search.start(key)
    result = result_of(bench.base, 240.0, 1.5, "completed")
    search.report(first, result)
    search.end(first, result)
    search.report(second, result_of(bench.base, 27.0, 1.5, "running"))
    lines = status.status(bench.folder, datetime.now(UTC) + timedelta(hours=1))
    (trials,) = [line for line in lines if line.startswith("trials: ")]
    assert trials.startswith("trials: 1 running, 1 completed, ")  # values that make no model may stand beside them
    assert "best: trial 0 (base), val_bpb 1.5000" in lines
    assert any(line.startswith("last report: 1 h") and line.endswith(" ago") for line in lines)
    (running,) = [line for line in lines if line.startswith("running:")]
    number = next(row["number"] for row in bench.rows() if row["key"] == second)
    assert running.startswith(f"running: trial {number}, 27 of 240 steps, attempt 1 for 1 h")


def test_a_clock_that_was_set_back_is_told_as_that(bench, result_of) -> None:
    search = bench.search()
    key = search.next().key
    search.start(key)
    search.report(key, result_of(bench.base, 27.0, 1.5, "running"))
    lines = status.status(bench.folder, datetime.now(UTC) - timedelta(minutes=5, seconds=20))
    (last, running) = [line for line in lines if line.startswith(("last report:", "running:"))]
    assert last.startswith("last report: less than nothing (a clock is 5 min") and last.endswith(" behind) ago")
    assert "attempt 1 for less than nothing (a clock is 5 min" in running


def test_runs_after_the_search_are_counted_apart(bench, play) -> None:
    play(bench.search(trials=3, stopper="none", confirm=Design(1, 2, 2))).run()
    lines = status.status(bench.folder, datetime.now(UTC))
    assert "confirmation: 4 completed" in lines
    assert any(line.startswith("trials: 3 completed") for line in lines)


def test_a_campaign_that_has_not_begun_is_told_too(bench) -> None:
    bench.store()
    lines = status.status(bench.folder, datetime.now(UTC))
    assert lines[2:] == ["trials: none yet, of an unknown number asked for", "last report: none yet"]


def test_a_compacted_campaign_is_not_said_to_go_on(bench, play, tmp_path) -> None:
    play(bench.search(trials=1)).run()
    compact(bench.folder, tmp_path / "kept")
    assert "driver: none; the campaign is compacted" in status.status(tmp_path / "kept", datetime.now(UTC))


def test_a_driver_lives_while_it_holds_the_lock_and_looking_does_not_disturb_it(tmp_path) -> None:
    now = datetime.now(UTC)
    assert not status.driver_lives(tmp_path, now)
    held = FileLock(tmp_path / lock.NAME)
    with held:
        assert status.driver_lives(tmp_path, now) and status.driver_lives(tmp_path, now)
    (tmp_path / lock.NAME).touch()
    assert not status.driver_lives(tmp_path, now)
    with held.acquire(timeout=0):
        assert held.is_locked


def test_without_a_name_it_is_the_campaign_that_was_begun_last(bench, capsys) -> None:
    bench.store()
    assert status.main(["--results", str(bench.folder.parent)]) == 0
    assert capsys.readouterr().out.startswith(f"campaign: {bench.folder.name}, space ")


def test_the_command_prints_the_status(bench, capsys) -> None:
    bench.store()
    assert status.main([str(bench.folder)]) == 0
    assert capsys.readouterr().out.startswith(f"campaign: {bench.folder.name}, space ")


@pytest.mark.parametrize("arguments", [["nowhere"], ["--speed"], []])
def test_a_mistake_is_one_line_and_exit_code_2(arguments, capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = status.main(arguments)
    except SystemExit as ended:
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1 and error.startswith("python -m tuner.status: ")


def test_a_crashed_trial_is_told_with_its_error(bench) -> None:
    search = bench.search()
    key = search.next().key
    search.start(key)
    search.fail(key, "Traceback\nRuntimeError: no \x1b[31mred")
    (line,) = [line for line in status.status(bench.folder, datetime.now(UTC)) if line.startswith("crashed: ")]
    assert line.startswith("crashed: trial 0: RuntimeError: no") and line.endswith(f"(errors/{key}.txt)")
