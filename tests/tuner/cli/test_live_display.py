from __future__ import annotations

import io
import re
import time
from types import SimpleNamespace

import pytest

from results.store.row_parts import with_all_columns
from terminal.console import Console
from terminal.counted import counted
from tuner.cli.live_block import clock
from tuner.cli.live_display import Display, ended_line


def console(width: int = 80, terminal: bool = True) -> Console:
    """As ``run.py`` makes it."""
    return Console(file=io.StringIO(), width=width, height=40, force_terminal=terminal)


def entry(status: str, **row):
    whole = with_all_columns({"is_base": False, "objective": "val_bpb"})
    return SimpleNamespace(status=status, number=7, stage="search", row=whole | row)


@pytest.mark.parametrize(
    ("ended", "is_best", "text"),
    [
        (entry("completed", value=1.23456), False, "[1:05] trial 7 completed: val_bpb 1.2346"),
        (entry("completed", value=1.2), True, "[1:05] trial 7 completed: val_bpb 1.2000, best so far"),
        (entry("completed", value=1.2, is_base=True), False, "[1:05] trial 7 (base) completed: val_bpb 1.2000"),
        (entry("stopped", reason="rung 27: 3.0 > 2.0"), False, "[1:05] trial 7 stopped at rung 27: 3.0 > 2.0"),
        (entry("crashed", reason="ValueError: [x]"), False, "[1:05] trial 7 crashed: ValueError: [x]"),
        (entry("diverged", reason="train loss"), False, "[1:05] trial 7 diverged: train loss"),
        (entry("interrupted"), False, "[1:05] trial 7 interrupted"),
    ],
)  # fmt: skip
def test_an_ended_trial_is_one_line(ended, is_best, text) -> None:
    assert ended_line(ended, is_best, 65.9) == text


def test_of_two_objectives_both_are_said_and_the_lowest_in_the_first_is_not_called_the_best() -> None:
    ended = entry("completed", value=1.2, train_seconds=36.28, extra_seconds=None)
    said = "[1:05] trial 7 completed: val_bpb 1.2000, train_seconds 36.3"
    assert ended_line(ended, True, 65.9, "train_seconds") == f"{said}, lowest val_bpb so far"
    assert ended_line(ended, False, 65.9, "train_seconds") == said
    assert ended_line(ended, False, 65.9, "peak_memory_bytes") == said.partition(", ")[0], "not measured on a CPU"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.9, "0:59"), (65, "1:05"), (3599, "59:59"), (3600, "1:00:00"), (7384, "2:03:04")],
)
def test_a_clock_has_hours_only_where_there_are_any(seconds, text) -> None:
    assert clock(seconds) == text


def test_a_log_has_one_plain_line_for_each_trial_and_marks_the_best(bench, play) -> None:
    search, out = bench.search(trials=8), console(40, terminal=False)
    with Display(search, out):
        play(search).run()
    first, *lines = [line for line in out.file.getvalue().splitlines() if "] proposal " not in line]
    assert re.match(r"\[0:0\d\] trial \d+( \(base\))? begins: steps ", first), "once, before anything has ended"
    ran = [row for row in bench.rows() if row["status"] != "infeasible"]
    assert len(lines) == len(ran) == 8
    shape = r"\[\d+:\d\d\] trial \d+( \(base\))? (completed: val_bpb \d\.\d{4}(, best so far)?|stopped at rung .+)"
    assert all(re.fullmatch(shape, line) for line in lines)
    values = [float(line.split("val_bpb ")[1][:6]) for line in lines if "best so far" in line]
    assert values and values == sorted(values, reverse=True)


def test_a_proposal_that_is_never_trained_has_a_line_with_its_number_and_why(bench, play) -> None:
    search, out = bench.search(trials=12), console(40, terminal=False)
    with Display(search, out):
        play(search).run()
    refused = [row for row in bench.rows() if row["status"] == "infeasible"]
    shape = re.compile(r"\[0:0\d\] proposal (\d+) infeasible before training: (.+)")
    lines = [match.groups() for line in out.file.getvalue().splitlines() if (match := shape.fullmatch(line))]
    assert lines == [(str(row["number"]), row["reason"]) for row in refused] and refused


def test_a_terminal_shows_lines_only_for_a_best_and_for_failures(bench, play, toy_curve) -> None:
    def crashing(config, milestone) -> float:
        if config.optimizer.matrix_lr > 0.06:
            raise RuntimeError(f"made up {config.optimizer.matrix_lr}")
        return toy_curve(config, milestone)

    search, out = bench.search(trials=8, stopper="none"), console()
    display = Display(search, out)  # not started: only its lines
    play(search, crashing).run()
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in out.file.getvalue().splitlines()]
    crashed = [row for row in bench.rows() if row["status"] == "crashed"]
    assert sum("crashed: RuntimeError: made up" in line for line in lines) == len(crashed) > 0
    assert all("best so far" in line or "crashed" in line for line in lines)
    assert display.best is search.ledger.best()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("events", [0, 1, 2, 5, 11, 23, 60])
def test_the_live_block_fits_its_terminal_and_says_all_that_matters(bench, play, width, events) -> None:
    search = bench.search(trials=30, slots=2)
    bench.now = 100.0
    out = console(width)
    display = Display(search, out)
    play(search).run(events)
    if events == 23:
        search.stop("interrupted")
    display.started = time.monotonic() - 754
    display.live.start()
    display.live.stop()
    shown = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in out.file.getvalue().splitlines()]
    assert all(len(line) <= width for line in shown)
    text = "\n".join(shown)
    for status, number in search.ledger.entries.counts(trials_only=True).items():
        assert f"{number} {status} " in text
    untrained = sum(entry.config is None for entry in search.ledger.entries.values())
    assert not untrained or f"{counted(untrained, 'proposal')} infeasible before training" in text
    assert "/30 trials" in text and "12:3" in text
    assert sum(line.startswith("  trial ") for line in shown) == len(search.live)
    assert len(shown) < 40
    reported = any(e.row["spent"] for e in search.ledger.entries.values())
    assert (" left" in text) == (reported and events != 23)
    assert ("best val_bpb" in text) == (search.ledger.best() is not None)
    assert all(f"trial {e.number}" in text for e in search.live.values())
    last = [e for e in search.ledger.entries.values() if e.status == "stopped"]
    assert ("stopped at rung" in text) == bool(last), "whoever was stopped is named, with why"
    assert ("ending: interrupted" in text) == (events == 23)
    assert ("checkpoints; again to end now" in text) == (events == 23)
