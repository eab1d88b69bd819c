"""Promotion: stopped trials that go on again where the evidence turns, from the checkpoints that were kept for it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from optuna.trial import TrialState

from results import load
from results.stopping import stopping_line
from search_spaces import load as load_space
from storage import files
from tuner import status
from tuner.cli.live_display import ended_line
from tuner.early_stopping import Stopper
from tuner.loop.promotion import is_paused
from tuner.question import ask
from tuner.spec import MOST_PAUSED, CampaignSpec

RUNGS = [60, 120]
ASKED = {"trials": 24, "slots": 1, "stopper": "predictive", "promote": True}


def with_checkpoints(bench) -> set[str]:
    return set(files.names(bench.folder / "checkpoints"))


def promoted(bench) -> list[dict]:
    return [row for row in bench.rows() if row["promotions"]]


def until_one_is_promoted(bench, play, turning):
    """A campaign that has just decided to let a trial go on, and has not begun it."""
    search = bench.search(**ASKED)
    tune = play(search, turning)
    while not any(entry.row["promotions"] for entry in search.ledger.entries.values()):
        assert tune.step()
    return search, tune


def test_a_promise_rises_as_trials_finish_that_were_behind_on_the_way() -> None:
    stopper = Stopper("predictive", "val_bpb", RUNGS)
    for place in range(6):
        stopper.record(60, str(place), 3.0 + place / 10)
        stopper.finished(str(place), 2.0 + place / 10 + place % 2 / 50)
    assert stopper.ends("behind", {"milestone": 60, "val_bpb": 3.6})
    before = stopper.promise("behind", 60)
    assert before.chance < 0.01 and before.came == 7 and not before.is_enough
    for place in range(6):
        stopper.record(60, f"ahead {place}", 2.9 - place / 10)
        stopper.finished(f"ahead {place}", 2.8)
    after = stopper.promise("behind", 60)
    assert after.is_enough and after.against_a_new_one == after.chance * 13 >= 1
    assert str(after).startswith(
        "rung 60 orders the ends with rank correlation -"
    ) and "its chance of ending as the best is" in str(after)
    assert stopper.promise("behind", 120) is None and stopper.promise("nobody", 60) is None


def test_other_rules_promise_nothing() -> None:
    stopper = Stopper("asha", "val_bpb", RUNGS)
    stopper.record(60, "a", 3.0)
    assert stopper.promise("a", 60) is None


def test_a_stopped_trial_goes_on_from_its_checkpoint_to_its_end_and_its_row_tells_all_of_it(
    bench, play, turning
) -> None:
    search = bench.search(**ASKED)
    tune = play(search, turning).run()
    search.abandon()
    rows = promoted(bench)
    assert rows and {row["status"] for row in rows} == {"completed"}
    best = min((row for row in bench.rows() if row["value"] is not None), key=lambda row: row["value"])
    assert best in rows and best["value"] < 1.6, "it would have been lost"
    for row in rows:
        (stop,) = json.loads(row["promotions"])
        assert stop["rung"] in RUNGS and stop["value"] > stop["cutoff"] and stop["stopped_at"] < stop["at"]
        assert (
            stop["reason"].startswith(f"rung {stop['rung']:g}: 3.")
            and "orders the ends with rank correlation" in stop["why"]
        )
        assert (row["rung"], row["cutoff"], row["reason"], row["attempt"], row["spent"]) == (None, None, None, 2, 240)
        reports = bench.store().reports(row["key"])
        assert [report["milestone"] for report in reports] == [60, 120, 240], "its whole curve, each point once"
        assert tune.resumed.count(row["key"]) == 1
        line = f"trial {row['number']} goes on from {stop['value']:.4f} at rung {stop['rung']:g}: rung "
        (said,) = [text for text in search.notes if text.startswith(line)]
        assert said.endswith(" %")


def test_the_sampler_is_told_the_new_end_and_models_leave_out_the_old_one(bench, play, turning) -> None:
    from tuner.proposals.model.observations import without_earlier_ends

    search = bench.search(**ASKED)
    play(search, turning).run()
    (key, value), *_ = [(row["key"], row["value"]) for row in promoted(bench)]
    told = [t for t in search.proposals.sampler.study.trials if t.user_attrs.get("key") == key]
    assert [t.state for t in told] == [TrialState.PRUNED, TrialState.COMPLETE] and told[1].value == value
    (kept,) = [t for t in without_earlier_ends(search.proposals.sampler.study.trials) if t.user_attrs.get("key") == key]
    assert kept.value == value
    again = bench.search(**ASKED)
    assert [t.value for t in again.proposals.sampler.study.trials if t.user_attrs.get("key") == key] == [value]


def test_checkpoints_of_stopped_trials_are_bounded_and_gone_once_the_search_is_over(bench, play, turning) -> None:
    def behind(config, milestone):
        found = turning(config, milestone)
        return found if found < 3.8 and not 2.9 < found < 3.0 else 3.9  # nobody is ahead: no evidence turns

    search, seen = bench.search(**ASKED), []
    tune = play(search, behind)
    while tune.step():
        paused = {key for key, entry in search.ledger.entries.items() if is_paused(entry)}
        seen.append(len(paused))
        assert paused <= with_checkpoints(bench) <= paused | set(search.live)
        assert all(len(files.names(bench.folder / "checkpoints" / key)) == 2 for key in paused), "a sign and the newest"
    assert {row["key"] for row in bench.rows() if row["checkpoint"]} == paused
    assert max(seen) == MOST_PAUSED and [row["status"] for row in bench.rows()].count("stopped") > MOST_PAUSED
    search.abandon()
    assert not with_checkpoints(bench) and not any(row["checkpoint"] for row in bench.rows())


def test_what_is_stopped_survives_a_kill_and_goes_on_in_the_next_start(bench, play, turning) -> None:
    search = bench.search(**ASKED)
    tune = play(search, turning)
    while not search.promotions.paused:
        assert tune.step()
    paused = set(search.promotions.paused)  # and the driver is killed
    again = bench.search(**ASKED)
    assert set(again.promotions.paused) == paused <= with_checkpoints(bench)
    play(again, turning).run()
    again.abandon()
    assert promoted(bench) and not with_checkpoints(bench)


def test_a_promotion_that_was_decided_is_carried_out_after_a_kill(bench, play, turning) -> None:
    _, tune = until_one_is_promoted(bench, play, turning)
    (row,) = promoted(bench)
    key = row["key"]
    assert row["status"] == "interrupted" or key in tune.running
    again = bench.search(**ASKED)
    assert again.queue.waiting[0].key == key
    later = play(again, turning).run()
    assert later.resumed[0] == key
    (row,) = [row for row in bench.rows() if row["key"] == key]
    assert row["status"] == "completed" and len(json.loads(row["promotions"])) == 1


def test_status_and_the_lines_of_a_run_tell_who_went_on(bench, play, turning) -> None:
    search, tune = until_one_is_promoted(bench, play, turning)
    (row,) = promoted(bench)
    while row["key"] not in tune.running:
        tune.step()
    lines = status.status(bench.folder, datetime.now(UTC))
    (running,) = [line for line in lines if line.startswith(f"running: trial {row['number']},")]
    assert ", went on from rung " in running
    (counts,) = [line for line in lines if line.startswith("stopped trials: ")]
    assert counts == f"stopped trials: 1 went on again, {len(search.promotions.paused)} still may"
    tune.run()
    line = ended_line(search.ledger.entries[row["key"]], True, 5.0)
    assert "completed (went on from rung " in line and line.endswith("best so far")
    search.abandon()
    line = stopping_line(load(bench.folder))
    assert f"As the evidence turned, {len(promoted(bench))} stopped trial" in line and "is the best of all." in line


def test_without_it_nothing_is_kept_and_a_start_without_it_removes_what_was(bench, make_bench, play, turning) -> None:
    search = bench.search(**ASKED)
    tune = play(search, turning)
    while not search.promotions.paused:
        assert tune.step()
    off = bench.search(**ASKED | {"promote": False})
    assert not with_checkpoints(bench) - {entry.key for entry in off.ledger.unfinished()}
    other = make_bench("other").search(**ASKED | {"promote": False})
    requests = []
    make = other.requests.make
    other.requests.make = lambda entry: requests.append(make(entry)) or requests[-1]
    play(other, turning).run()
    assert not any(request.checkpoint_at for request in requests) and not other.promotions.paused
    assert not promoted(make_bench("other"))


def test_the_base_and_runs_after_the_search_write_no_checkpoints_for_it(bench, play, turning) -> None:
    search = bench.search(**ASKED)
    assert json.loads(search.next().to_json())["checkpoint_at"] == [], "the base is never stopped"
    entry = next(iter(search.live.values()))
    assert search.promotions.checkpoint_at(entry) == []
    entry.row["is_base"], search.stopper.protected = False, frozenset()
    assert search.promotions.checkpoint_at(entry) == RUNGS
    entry.row["stage"] = "confirm"
    assert search.promotions.checkpoint_at(entry) == []


def test_a_stopped_trial_whose_checkpoint_was_not_written_stays_stopped(bench, play, turning, monkeypatch) -> None:
    search = bench.search(**ASKED)
    monkeypatch.setattr(search.files, "checkpoint", lambda key: None)
    play(search, turning).run()
    assert not promoted(bench) and not search.promotions.paused
    assert [row["status"] for row in bench.rows()].count("stopped") > 1


@pytest.mark.parametrize(("stopper", "asked", "found"), [
    (None, None, True), ("asha", None, False), ("predictive", False, False), ("none", None, False),
])  # fmt: skip
def test_it_goes_with_the_rule_that_can_tell_when(stopper, asked, found) -> None:
    spec = CampaignSpec(space="parameter_golf", scale="proxy", stopper=stopper, promote=asked)
    settled = ask(load_space("parameter_golf"), spec).spec
    assert settled.promote is found
    older = {name: value for name, value in settled.to_json().items() if name != "promote"}
    assert CampaignSpec.of_json(older).promote is False, "a campaign from before"


def test_with_another_rule_it_is_refused_in_one_line() -> None:
    spec = CampaignSpec(space="parameter_golf", scale="proxy", stopper="asha", promote=True)
    with pytest.raises(ValueError, match="--promote lets trials go on that --stopper predictive has stopped, not"):
        ask(load_space("parameter_golf"), spec)
    with pytest.raises(ValueError, match="not --stopper none"):
        ask(load_space("parameter_golf"), replace(spec, stopper="none"))
