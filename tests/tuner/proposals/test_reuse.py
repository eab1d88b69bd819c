"""A finished trial of an earlier campaign is taken over whole, costs nothing, and nothing else is taken."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from results.design import Design
from search_spaces.constraints import parse_all
from search_spaces.space import Space
from trainable.config import Budget
from trainable.evaluation.artifact import Artifact
from trainable.schedules import Constant
from tuner.confirm import first_fresh_seed
from tuner.proposals import warm_start
from tuner.proposals.reuse import FINISHED, Library
from tuner.search_loop import Search

DATA = "made-up-data"


@pytest.fixture
def reusing():
    def make(bench, library: Library, trials: int = 10) -> Search:
        return bench.search(trials, library=library)

    return make


def test_trials_of_an_equal_campaign_are_not_trained_again(make_bench, play, reusing) -> None:
    old, new = make_bench("old"), make_bench("new")
    play(old.search(trials=10, stopper="none")).run()
    library = Library([old.folder])
    assert len(library) == 10
    search = reusing(new, library)
    ended: list[str] = []
    search.events.append(lambda entry: ended.append(entry.key))
    tune = play(search).run()
    rows = {row["key"]: row for row in new.rows() if row["status"] != "infeasible"}
    reused = [row for row in rows.values() if row["reused_from"]]
    assert len(rows) == len(ended) == 10 and len(reused) >= 2, "the base, and what the same seed draws"
    assert not {row["key"] for row in reused} & set(tune.started) and len(tune.started) == 10 - len(reused)
    before = {row["key"]: row for row in old.rows()}
    for row in reused:
        assert row["reused_from"] == "old" and row["campaign"] == "new"
        for column in ("status", "value", "val_bpb", "train_seconds", "steps", "device", "ended_at"):
            assert row[column] == before[row["key"]][column]
        assert new.store().reports(row["key"]) == old.store().reports(row["key"])
        assert search.proposals.sampler.study.trials[row["optuna_number"]].value == row["value"]


def test_a_whole_campaign_can_be_reused_without_any_training(make_bench, play, reusing) -> None:
    old, new = make_bench("old"), make_bench("new")
    play(old.search(trials=1)).run()
    search = reusing(new, Library([old.folder]), trials=1)
    assert search.next() is None and search.exhausted and not search.stopping
    (row,) = new.rows()
    assert (row["is_base"], row["status"], row["reused_from"]) == (True, "completed", "old")
    again = reusing(new, Library([]), trials=1)
    assert again.exhausted and again.ledger.best().row["reused_from"] == "old"


class Killed(BaseException):
    pass


@pytest.mark.parametrize("reports_are_there", [False, True])
@pytest.mark.parametrize("still_reused", [True, False])
def test_a_kill_while_a_trial_is_taken_over_loses_no_report_and_mixes_none(
    reports_are_there, still_reused, make_bench, play, reusing, monkeypatch
) -> None:
    old, new = make_bench("old"), make_bench("new")
    play(old.search(trials=1, reports=3)).run()
    before = old.store().reports(old.base_key)
    library = Library([old.folder])
    search = reusing(new, library, trials=1)
    replace_reports = search.ledger.store.replace_reports

    def killed(key, rows) -> None:
        new.store().tables()  # whoever reads now finds the trial of each report
        if reports_are_there:
            replace_reports(key, rows)
            new.store().tables()
        raise Killed

    monkeypatch.setattr(search.ledger.store, "replace_reports", killed)
    with pytest.raises(Killed):
        search.next()
    (row,) = new.rows()
    assert (row["status"], row["attempt"], row["reused_from"]) == ("running", 0, None)
    assert len(new.store().reports(row["key"])) == (len(before) if reports_are_there else 0)

    again = reusing(new, library if still_reused else Library([]), trials=1)
    assert again.num_started == 1
    tune = play(again).run()
    (row,) = new.rows()
    reports = new.store().reports(row["key"])
    assert (row["status"], row["attempt"], row["number"]) == ("completed", 1, 0)
    assert row["reused_from"] == ("old" if still_reused else None) and bool(tune.started) != still_reused
    assert reports == before if still_reused else reports[0]["at"] > before[-1]["at"]


def test_stopped_and_unfinished_trials_are_not_reused(make_bench, play) -> None:
    old = make_bench("old")
    search = old.search(trials=12)
    play(search).run()
    open_one = old.search(trials=13)
    open_one.start(open_one.next().key)
    rows = old.rows()
    library = Library([old.folder])
    assert {"stopped", "running"} <= {row["status"] for row in rows}
    for row in rows:
        assert (library.get(row["key"]) is not None) == (row["status"] in FINISHED)


def test_a_confirmation_is_trained_anew_on_seeds_that_no_earlier_campaign_has_seen(make_bench, play) -> None:
    old, new, design = make_bench("old"), make_bench("new"), Design(1, 3, 3)
    play(old.search(trials=8, confirm=design)).run()
    seed = first_fresh_seed(old.base.seed, [old.folder])
    seen = {row["seed"] for row in old.rows()} - {None}
    assert seed == max(seen) + 1 and first_fresh_seed(old.base.seed, []) == old.base.seed + 1
    campaign = old.folder / "campaign.json"
    campaign.write_text(json.dumps(json.loads(campaign.read_text()) | {"fresh_seed": 9000}))
    assert first_fresh_seed(old.base.seed, [old.folder]) == 9000, "what it started from itself has seen those before"
    library = Library([old.folder])
    confirmed = [row for row in old.rows() if row["stage"] == "confirm"]
    assert confirmed and all(library.get(row["key"]) is None for row in confirmed)
    tune = play(new.search(8, confirm=design, fresh_seed=seed, library=library)).run()
    again = [row for row in new.rows() if row["stage"] == "confirm"]
    assert again and not {row["seed"] for row in again} & seen
    assert {row["key"] for row in again} <= set(tune.started)


def test_values_at_rungs_are_not_taken_over_from_another_fidelity(make_bench, play, reusing) -> None:
    old, new = make_bench("old"), make_bench("new")
    play(old.search(trials=10, stopper="none", reports=3)).run()
    campaign = old.folder / "campaign.json"
    campaign.write_text(json.dumps(json.loads(campaign.read_text()) | {"fidelity": "branch"}))
    same, other = Library([old.folder], "branch"), Library([old.folder], "truncate")
    key = old.base_key
    assert set(same.get(key).milestones("val_bpb")) == {60.0, 120.0, 180.0}
    assert other.get(key).milestones("val_bpb") == {} and [r["milestone"] for r in other.get(key).reports] == [240.0]
    search = reusing(new, other, trials=1)
    assert search.next() is None and new.rows()[0]["value"] == old.rows()[0]["value"]
    assert not any(search.stopper.reached(rung) for rung in search.stopper.milestones)
    again = reusing(new, other, trials=1)
    assert not any(again.stopper.reached(rung) for rung in again.stopper.milestones)


def test_a_reused_trial_of_an_unlike_device_ends_a_campaign_that_counts_seconds(make_bench, play, toy_space) -> None:
    space = replace(toy_space, second_objective="train_seconds")
    old, new = make_bench("old", space), make_bench("new", space)
    play(old.search(trials=1)).run()
    search = new.search(1, library=Library([old.folder]))
    search.device.first = "another"
    assert search.next() is None and "cannot be compared across another and cpu (made up)" in search.stopping
    search.abandon()
    assert new.rows() == [], "with --mixed-devices a resume reuses it"


def test_a_reused_trial_is_held_to_the_limits_of_the_new_campaign(make_bench, play, reusing, toy_space) -> None:
    old = make_bench("old")
    play(old.search(trials=1)).run()
    space = replace(toy_space, constraints=parse_all(["parameters<=999"]))
    search = reusing(make_bench("new", space), Library([old.folder]), trials=1)
    assert search.next() is None
    (entry,) = search.ledger.entries.values()
    assert (entry.status, entry.row["value"]) == ("infeasible", None) and "parameters 1,000 > 999" in entry.row[
        "reason"
    ]


def limited(space: Space, *limits: str) -> Space:
    return replace(space, constraints=parse_all(limits))


def test_a_trial_that_was_beyond_an_earlier_limit_is_held_to_the_one_here(make_bench, play, toy_space) -> None:
    old = make_bench("old", limited(toy_space, "val_bpb<=0.5"))
    play(old.search(trials=1)).run()
    (was,) = old.rows()
    assert (was["status"], was["value"]) == ("infeasible", None)
    library = Library([old.folder])
    within = make_bench("within", limited(toy_space, "val_bpb<=9"))
    assert within.search(1, library=library).next() is None
    (row,) = within.rows()
    assert (row["status"], row["reason"], row["value"]) == ("completed", None, was["val_bpb"])
    assert (row["reused_from"], row["train_seconds"]) == ("old", was["train_seconds"])
    beyond = make_bench("beyond", limited(toy_space, "val_bpb<=0.6"))
    assert beyond.search(1, library=library).next() is None
    (row,) = beyond.rows()
    assert (row["status"], row["value"]) == ("infeasible", None) and "> 0.6 (val_bpb<=0.6)" in row["reason"]


def test_a_limit_of_the_trials_own_artifact_holds_wherever_it_is_reused(
    make_bench, result_of, toy_base, toy_space
) -> None:
    base = replace(toy_base, artifact=Artifact(limit_bytes=1000))
    old, new = (make_bench(name, toy_space, base) for name in ("old", "new"))
    search = old.search(trials=1)
    key = search.next().key
    search.start(key)
    result = result_of(base, 240.0, 1.5, "completed") | {"artifact_bytes": 1001}
    for tell in (search.report, search.end):
        tell(key, {**result, "violation": "artifact 1,001 > 1,000 bytes"})
    assert new.search(1, library=Library([old.folder])).next() is None
    (row,) = new.rows()
    assert (row["status"], row["reason"], row["reused_from"]) == ("infeasible", "artifact 1,001 > 1,000 bytes", "old")


def test_a_trial_without_a_finite_objective_there_is_judged_by_the_one_here(make_bench, play, toy_space) -> None:
    old = make_bench("old", replace(toy_space, objective="time_to_target"))
    play(old.search(trials=1, stopper="none")).run()
    row = old.rows()[0] | {"status": "diverged", "value": None, "last_value": None, "time_to_target": None}
    old.store().write_trial(row | {"reason": "it ended with time_to_target None"})
    new = make_bench("new")
    assert new.search(1, library=Library([old.folder])).next() is None
    assert (new.rows()[0]["status"], new.rows()[0]["value"]) == ("completed", row["val_bpb"])


def test_what_is_not_reused_is_counted_with_its_reason(make_bench, play, toy_space, toy_base) -> None:
    old = make_bench("old", limited(toy_space, "val_bpb<=1.6"))
    play(old.search(trials=12)).run()
    searched = Counter(row["status"] for row in old.rows())
    never = sum(row["status"] == "infeasible" and row["config"] == "null" for row in old.rows())
    beyond = searched["infeasible"] - never
    assert searched["stopped"] and never and beyond
    library = Library([old.folder])
    first, second = library.about(toy_space, toy_base, DATA)
    assert second.startswith(f"left out {searched['stopped'] + never}: ")
    ended = searched["completed"] + beyond
    held = f"{beyond} of them beyond the limits there, which are held to those of this search"
    assert first == f"{ended} finished trials, {held}"
    assert f"{searched['stopped']} stopped early, so that nothing says" in second and f"{never} never trained" in second
    *_, lacks = library.about(limited(toy_space, "artifact_bytes<=9"), toy_base, DATA)
    assert f"{ended} without artifact_bytes, which this search asks for" in lacks


@pytest.mark.parametrize(
    ("changes", "data", "said"),
    [
        ({"budget": Budget(steps=120)}, DATA, "budget.steps is 240 there and 120 here"),
        ({"seed": 7}, DATA, "seed is 1337 there and 7 here"),
        ({}, "others", f"its data are others (fingerprint {DATA}, here others)"),
        ({"schedule": Constant()}, DATA, None),  # a knob's value: some of its trials may be the same
        ({}, None, None),
    ],
    ids=["budget", "seed", "data", "knob", "unknown"],
)
def test_a_campaign_none_of_whose_trials_can_be_the_same_says_why(
    make_bench, play, toy_space, toy_base, changes, data, said
) -> None:
    old = make_bench("old")
    play(old.search(trials=1)).run()
    lines = Library([old.folder]).about(toy_space, replace(toy_base, **changes), data)
    assert lines[1:] == ([] if said is None else [f"no trial of old is one of this search: {said}"])


def test_a_copy_of_a_campaign_counts_once_and_is_named(make_bench, play, toy_space, toy_base) -> None:
    old = make_bench("old")
    play(old.search(trials=4, stopper="none")).run()
    copy = shutil.copytree(old.folder, old.folder.with_name("copy"))
    alone, both = Library([old.folder]), Library([old.folder, copy])
    assert len(both) == len(alone) == 4
    more = both.about(toy_space, toy_base, DATA)
    assert "4 runs of copy also in old: each counts once" in more
    assert not any("also in" in line for line in alone.about(toy_space, toy_base, DATA))
    prior = warm_start.load([str(old.folder), str(copy)], toy_space, toy_base, "proxy", DATA)
    assert {point.source for point in prior.points} == {"old"} and len(prior.points) == 4
    assert "4 of an earlier one of these campaigns" in prior.about()


def test_a_folder_that_cannot_be_read_is_one_line_that_names_the_file(bench, play, tmp_path) -> None:
    play(bench.search(trials=2)).run()
    damaged = next(p for p in (bench.folder / "trials").glob("*.parquet") if not p.name.startswith("0-"))
    damaged.write_bytes(b"not parquet")
    with pytest.raises(ValueError, match=f"{damaged.name} cannot be read"):
        Library([bench.folder])
    with pytest.raises(ValueError, match="is no campaign"):
        Library([tmp_path / "nowhere"])
