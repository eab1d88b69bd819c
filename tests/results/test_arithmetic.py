"""A campaign whose trials were computed in different precisions says so."""

from __future__ import annotations

import io

from results.arithmetic import arithmetic_lines
from results.page.reproduce import facts
from results.report import print_leaderboard
from results.store import frames
from terminal.console import Console


def rows(*precisions: str | None) -> list[dict[str, str | None]]:
    return [{"muon_precision": precision} for precision in precisions]


def test_trials_of_two_precisions_are_counted() -> None:
    assert arithmetic_lines(rows("fp32", "bf16", "fp32", None)) == [
        "Muon iterated in different precisions, by machine and size of the matrices: bf16 in 1 run, fp32 in 2 runs"
    ]


def test_nothing_is_said_of_one_precision_or_of_none() -> None:
    assert arithmetic_lines(rows("bf16", "bf16", None)) == arithmetic_lines(rows(None)) == arithmetic_lines([{}]) == []
    assert arithmetic_lines([{"muon_precision": float("nan")}, *rows("fp32")]) == []


def test_the_report_says_it_and_the_page_lists_them(campaign) -> None:
    trials = len(frames.load(campaign).trials)
    for column, told in ((["fp32"] * trials, False), (["bf16"] + ["fp32"] * (trials - 1), True)):
        found = frames.load(campaign)
        found.rows["muon_precision"] = column + [None] * (len(found.rows) - len(column))
        printed = io.StringIO()
        print_leaderboard(Console(file=printed, width=200), found)
        assert ("Muon iterated in different precisions" in printed.getvalue()) is told
        listed = dict(map(tuple, facts(found.campaign, found.rows)))["precision of Muon"]
        assert listed == ("bf16, fp32" if told else "fp32")
