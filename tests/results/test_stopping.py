"""The line of what early stopping saved and may have cost, in the report and on the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from results import Store, load
from results.page.data import page_data
from results.report import main
from results.stopping import pairs_at, stopping_line
from tests.results.conftest import START

ENDS = [2.0, 2.12, 2.18, 2.33, 2.37, 2.5]  # of trials that had 3.0, 3.1, ... at rung 60


@pytest.fixture
def make_searched(tmp_path: Path, make_trial: Callable[..., Any]) -> Callable[..., Path]:
    def make(ends: list[float], stopped: list[float]) -> Path:
        store = Store.create(tmp_path / "night", {"space": "parameter_golf", "objective": "val_bpb"}, {"lr": "float64"})
        common: dict[str, Any] = {"stage": "search", "lr": 0.1}
        for number, end in enumerate(ends):
            row = make_trial(number, "completed", end, {"lr": 0.1 + number}, spent=240.0)
            write(store, {**row, **common}, [(60.0, 3.0 + number / 10), (240.0, end)])
        for number, value in enumerate(stopped, len(ends)):
            row = make_trial(number, "stopped", value, {"lr": 0.1 + number}, spent=60.0, rung=60.0, cutoff=3.0)
            write(store, {**row, **common}, [(60.0, value)])
        return store.folder

    return make


def write(store: Store, row: dict[str, Any], reports: list[tuple[float, float]]) -> None:
    kept = {name: value for name, value in row.items() if "." not in name and name not in ("schedule",)}
    store.write_trial(kept)
    for milestone, value in reports:
        report = {"key": row["key"], "attempt": 1, "step": int(milestone), "at": START, "milestone": milestone}
        store.append_report(report | {"val_bpb": value})


def test_it_says_what_was_saved_and_the_chance_that_the_best_was_lost(make_searched) -> None:
    line = stopping_line(load(make_searched(ENDS, [3.04, 3.4])))
    assert line.startswith("Early stopping ended 2 of 8 trials and saved 19% of their training. "), (
        "of 8 x 240, 2 x 180"
    )
    assert "The chance that one of these would have ended as the best is 10 %, by all that have completed: " in line
    assert "orders the ends with rank correlation 1.00 (" in line


def test_a_chance_that_is_as_good_as_none_is_said_to_be(make_searched) -> None:
    assert "is under 1 %, by all that have completed: rung 60" in stopping_line(load(make_searched(ENDS, [3.3, 3.4])))


def test_of_one_trial_that_was_stopped_it_is_no_one_of_these(make_searched) -> None:
    line = stopping_line(load(make_searched(ENDS, [3.4])))
    assert "The chance that it would have ended as the best is under 1 %, by all that have completed: rung 60" in line


def test_what_orders_no_ends_may_have_cost_the_best(make_searched) -> None:
    line = stopping_line(load(make_searched([2.3, 2.0, 2.5, 2.1, 2.4, 2.2], [3.4, 3.5])))
    chance = int(line.split("ended as the best is ")[1].split(" %")[0])
    assert chance >= 15, line


def test_too_few_completed_trials_tell_nothing_of_it(make_searched) -> None:
    line = stopping_line(load(make_searched(ENDS[:4], [3.4])))
    assert line.endswith("may have cost is not known: it takes 5 completed trials with a value at its rungs.")


def test_a_search_in_which_nothing_was_stopped_has_no_such_line(make_searched, capsys) -> None:
    folder = make_searched(ENDS, [])
    assert stopping_line(load(folder)) == "" and page_data(load(folder), folder)["stopping"] == ""
    assert main([str(folder), "--no-page"]) == 0 and "Early stopping" not in capsys.readouterr().out


def test_the_report_and_the_page_have_it(make_searched, capsys) -> None:
    folder = make_searched(ENDS, [3.4])
    said = stopping_line(load(folder))
    assert main([str(folder)]) == 0 and said in capsys.readouterr().out.replace("\n", " ")
    assert page_data(load(folder), folder)["stopping"] == said
    assert "DATA.stopping" in (folder / "report.html").read_text()


def test_a_value_counts_as_the_last_attempt_has_it_and_an_objective_of_the_end_has_none(make_searched) -> None:
    folder = make_searched(ENDS, [3.4])
    store = Store.open(folder)
    key = f"{0:016x}"
    again = {"key": key, "attempt": 2, "step": 60, "at": START, "milestone": 60.0, "val_bpb": 2.9}
    store.append_report(again)
    assert (2.9, 2.0) in pairs_at(load(folder), 60.0) and pairs_at(load(folder), 61.0) == []
    results = load(folder)
    late = dataclasses.replace(results, rows=results.rows.assign(objective="train_minutes"))
    assert pairs_at(late, 60.0) == []
