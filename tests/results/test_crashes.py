"""The first lines of errors reach the screen, escaped, shortened and with the file that has all of it."""

from __future__ import annotations

import io
from dataclasses import replace

from results import crashes
from results.crashes import crash_lines
from results.report import print_leaderboard
from results.store import frames
from terminal.console import Console


def row(number: int, **columns: object) -> dict[str, object]:
    return {"number": number, "status": "crashed", "key": f"{number:016x}", "reason": "KeyError: 7", **columns}


def test_a_crash_is_told_with_its_error_and_its_file() -> None:
    assert crash_lines([row(3), row(4, status="completed")]) == [
        "crashed: trial 3: KeyError: 7 (errors/0000000000000003.txt)"
    ]


def test_a_run_after_the_search_is_told_as_that_and_one_without_a_reason_too() -> None:
    (first, second) = crash_lines([row(1, stage="confirm"), row(2, reason=None)])
    assert first.startswith("crashed: confirm run 1: ") and "no error was written down" in second


def test_many_crashes_are_counted_and_long_errors_shortened() -> None:
    lines = crash_lines([row(number, reason="x" * 5000 + "\nsecond line") for number in range(crashes.SHOWN + 2)])
    assert len(lines) == crashes.SHOWN + 1 and lines[-1] == "crashed too: 2 more runs"
    assert all(len(line) < 300 and "second line" not in line for line in lines)


def test_the_report_escapes_what_an_error_says(campaign) -> None:
    found = frames.load(campaign)
    rows = found.rows.copy()
    rows.loc[rows.index[-1], ["status", "reason"]] = ["crashed", "bad \x1b[31m thing"]
    console = Console(file=io.StringIO(), width=200)
    print_leaderboard(console, replace(found, rows=rows))
    text = console.file.getvalue()
    assert "bad \\x1b[31m thing (errors/" in text and "\x1b" not in text
