"""What a trial says of itself may be anything: no trial is lost by it, no campaign ends, and it is said."""

from __future__ import annotations

from typing import Any

import pytest

from results import load
from results.store.salvage import RefusedRowError

BAD: dict[str, Any] = {  # what a worker says of itself, and nobody would read again
    "device": "x" * 5_000,
    "worker": "half a character: \ud800",
    "parameters": -1,
    "peak_memory_bytes": 2**70,
    "wall_seconds": float("nan"),
    "compile_seconds": 1e300,
    "train_loss": "no number",
    "logged": {"deep": "x" * 2_000_000},
}


@pytest.mark.parametrize("name", BAD)
def test_a_cell_that_no_row_may_have_is_left_out_and_said(name, bench, play) -> None:
    search = bench.search(trials=2, slots=1)
    real = search.report
    search.report = lambda key, result: real(key, {**result, name: BAD[name]})
    play(search).run()
    search.abandon()
    assert {row["status"] for row in bench.rows() if row["config"] != "null"} == {"completed"}
    assert any("was written without" in note and name in note for note in search.notes), search.notes
    assert "was written without" in (bench.folder / "errors" / "notes.txt").read_text()
    if name != "logged":
        assert all(row[name] is None and name in row["note"] for row in bench.rows() if row["status"] == "completed")
    assert len(load(bench.folder).trials) >= 2


def test_a_trial_whose_result_is_no_value_counts_as_crashed(bench, play, toy_curve) -> None:
    search = bench.search(trials=3, slots=1, stopper="none")
    play(search, lambda config, milestone: 1e200 if config != bench.base else toy_curve(config, milestone)).run()
    search.abandon()
    base, *others = (row for row in bench.rows() if row["config"] != "null")
    assert base["status"] == "completed" and {row["status"] for row in others} == {"crashed"}
    assert all("could not be written as it was: " in row["reason"] and "1e+200" in row["reason"] for row in others)
    assert bench.search(trials=3).exhausted


def test_a_worker_that_says_the_same_in_every_report_is_noted_once(bench, play) -> None:
    search = bench.search(trials=1, slots=1, reports=9)
    real = search.report
    search.report = lambda key, result: real(key, {**result, "wall_seconds": -1.0 - result["step"]})
    play(search).run()
    search.abandon()
    (row,) = (row for row in bench.rows() if row["is_base"])
    assert len(bench.store().reports(row["key"])) >= 9
    (note,) = search.notes
    assert note.startswith(f"the row of trial {row['key']!r} was written without wall_seconds: wall_seconds is -")
    assert row["note"].count("left out: wall_seconds") == 1


def test_a_status_that_does_not_exist_counts_as_crashed(bench, play) -> None:
    search = bench.search(trials=1, slots=1)
    end = search.end
    search.end = lambda key, result: end(key, {**result, "status": "complete"})
    play(search).run()
    (row,) = (row for row in bench.rows() if row["is_base"])
    assert row["status"] == "crashed" and "did you mean 'completed'?" in row["reason"]
    assert search.stopping.startswith("the base config crashed, which all others are measured against: its row could")


def test_the_same_refused_result_of_several_trials_in_a_row_ends_the_search(bench, play, toy_curve) -> None:
    search = bench.search(trials=9, slots=1, stopper="none")
    play(search, lambda config, milestone: 1e200 if config != bench.base else toy_curve(config, milestone)).run()
    assert search.stopping.startswith("3 trials in a row ended with the same error: its row could not be written")


def test_a_row_of_which_nothing_can_be_written_ends_the_campaign_in_one_line(bench) -> None:
    search = bench.search()
    request = search.next()
    search.ledger.entries[request.key].row["config"] = "no JSON"
    with pytest.raises(RefusedRowError, match="is refused by our own rules: config is 'no JSON' but must be JSON"):
        search.start(request.key)
