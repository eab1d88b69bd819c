"""The score of the exported weights as the objective: known at the end, judged on the way by that of the weights as
they are.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import results
from results.page.data import page_data
from results.report import main as report_main
from results.stopping import pairs_at
from results.store.row_parts import ON_THE_WAY
from search_spaces.objectives import JUDGED_ON_THE_WAY, MEASURED_ON_THE_WAY, QUANTISED
from tuner.plan.seen_from_files import values_at_rungs
from tuner.proposals.reuse import Library

OBJECTIVE = "val_bpb_quantised"
LOSS = 0.25  # that rounding adds, as a part of what training leaves above 1.5


@pytest.fixture
def asked(make_bench, toy_space, play):
    """Plays a search for the best exported weights, and gives its bench and its search."""

    def run(name: str = "quantised", **settings):
        bench = make_bench(name, dataclasses.replace(toy_space, objective=OBJECTIVE))
        search = bench.search(**{"trials": 16, **settings})
        tune = play(search)
        train = tune._train

        def exporting(request: Any) -> Any:
            for result in train(request):
                score = result["val_bpb"]
                yield result | ({OBJECTIVE: score + LOSS * (score - 1.5)} if result["done"] else {})

        tune._train = exporting
        tune.run()
        return bench, search

    return run


def test_each_score_of_exported_weights_has_one_on_the_way() -> None:
    assert ON_THE_WAY.keys() == {*QUANTISED} and {*ON_THE_WAY.values()} <= {*MEASURED_ON_THE_WAY}
    assert {*QUANTISED} < {*JUDGED_ON_THE_WAY}


@pytest.mark.parametrize("stopper", ["asha", "predictive", "median"])
def test_trials_are_stopped_by_the_score_on_the_way_and_end_with_the_exported_one(asked, stopper: str) -> None:
    bench, search = asked(stopper=stopper, trials=24)
    rows = [row for row in bench.rows() if row["attempt"]]
    completed = [row for row in rows if row["status"] == "completed"]
    stopped = [row for row in rows if row["status"] == "stopped"]
    assert {row["status"] for row in rows} == {"completed", "stopped"}, "both kinds, of 24 trials"
    assert all(row["value"] == row[OBJECTIVE] > row["val_bpb"] for row in completed)
    assert all(row["last_value"] == row["val_bpb"] and row[OBJECTIVE] is None for row in stopped)
    for row in stopped:
        assert row["rung"] in search.stopper.milestones and row["reason"].startswith(f"rung {row['rung']:g}: ")
    best = search.ledger.best()
    assert best is not None and best.value == min(row[OBJECTIVE] for row in completed)


def test_a_resume_judges_by_the_same_values(asked) -> None:
    bench, search = asked(trials=9)
    again = bench.search(trials=9)
    before = {key: entry.milestones for key, entry in search.ledger.entries.items()}
    assert {key: entry.milestones for key, entry in again.ledger.entries.items()} == before
    assert any(before.values())
    reports = [report for found in bench.store().reports_by_key().values() for report in found]
    assert values_at_rungs(bench.rows(), reports) == {key: found for key, found in before.items() if found}


def test_a_reused_trial_is_judged_by_the_score_on_the_way_and_counts_with_its_exported_one(asked) -> None:
    first, _ = asked("first", stopper="none", reports=3)
    again, search = asked("again", stopper="none", reports=3, library=Library([first.folder]))
    taken = {row["key"]: row for row in again.rows() if row["reused_from"]}
    assert taken and all(row["value"] == row[OBJECTIVE] for row in taken.values())
    for key in taken:
        reports = [report for report in again.store().reports(key) if report["milestone"] < 240]
        assert search.ledger.entries[key].milestones == {r["milestone"]: r["val_bpb"] for r in reports}


def test_a_run_without_an_artifact_has_no_value(make_bench, toy_space, result_of) -> None:
    bench = make_bench("none", dataclasses.replace(toy_space, objective=OBJECTIVE))
    search = bench.search(trials=1)
    key = search.next().key
    search.start(key)
    search.report(key, result_of(bench.base, 120.0, 2.0, "running"))
    end = result_of(bench.base, 240.0, 1.9, "completed") | {OBJECTIVE: None}
    search.report(key, end)
    search.end(key, end)
    (row,) = bench.rows()
    assert (row["status"], row["value"]) == ("diverged", None) and "it ended with val_bpb_quantised None" in row[
        "reason"
    ]


def test_the_report_and_the_page_name_both_scores(asked, capsys) -> None:
    bench, search = asked()
    loaded = results.load(bench.folder)
    data = page_data(loaded, bench.folder)
    assert (data["objective"], data["on_the_way"], data["unit"]) == (OBJECTIVE, "val_bpb", "bits/byte")
    assert data["curves"]["measures"][0]["name"] == "val_bpb"
    rung = search.stopper.milestones[0]
    assert {one["rung"] for one in data["at_rungs"]} >= {rung}
    ends = {end for _, end in pairs_at(loaded, rung)}
    assert ends == {row[OBJECTIVE] for row in bench.rows() if row["status"] == "completed"}
    assert report_main([str(bench.folder), "--no-page"]) == 0
    said = capsys.readouterr().out
    assert OBJECTIVE in said and "values of stopped trials are val_bpb at their rung" in said.replace("\n", " ")
