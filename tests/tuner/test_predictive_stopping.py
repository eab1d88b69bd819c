"""Early stopping by predictive termination: its decisions, its words, its resume, and a search that has it."""

from __future__ import annotations

import json
import math

import pytest

from results.design import Design
from storage import files
from trainable.config import TrainConfig
from tuner.early_stopping import DEFAULT_STOPPER, Stopper
from tuner.proposals import warm_start

RUNGS = [60, 120]
DATA = "made-up-data"  # as the bench has it
ENDS = [2.0, 2.12, 2.18, 2.33, 2.37, 2.5]  # of trials that had 3.0, 3.1, ... at both rungs


def told(stopper: Stopper, key: str, rung: float, value: float) -> bool:
    return stopper.ends(key, {"milestone": rung, "val_bpb": value})


def six_finished(**settings) -> Stopper:
    stopper = Stopper("predictive", "val_bpb", RUNGS, **settings)
    for place, end in enumerate(ENDS):
        for rung in RUNGS:
            stopper.record(rung, str(place), 3.0 + place / 10)
        stopper.finished(str(place), end)
    return stopper


def test_it_is_what_new_searches_stop_by() -> None:
    assert DEFAULT_STOPPER == "predictive"


def test_before_five_trials_have_finished_nothing_is_stopped() -> None:
    stopper = Stopper("predictive", "val_bpb", RUNGS)
    for place, end in enumerate(ENDS[:4]):
        told(stopper, str(place), 60, 3.0 + place / 10)
        stopper.finished(str(place), end)
        assert not told(stopper, f"bad {place}", 60, 99.0) and stopper.news() == []


def test_a_trial_without_a_chance_is_stopped_and_says_how_small_it_was() -> None:
    stopper = six_finished()
    assert not told(stopper, "good", 60, 3.02)
    assert told(stopper, "bad", 60, 3.4)
    stop = stopper.stops["bad"]
    assert (stop.rung, stop.value) == (60, 3.4) and 3.0 < stop.cutoff < 3.2
    assert str(stop).startswith("rung 60: 3.4000 > 3.")
    assert str(stop).endswith("(its chance of ending as the best is under 0.1 %, by 6 finished trials)")
    assert told(stopper, "middling", 120, 3.14), "each rung has a line of its own"
    assert "(its chance of ending as the best is 0.3 %" in str(stopper.stops["middling"])


def test_a_value_that_is_just_under_the_cutoff_goes_on_and_one_just_above_it_does_not() -> None:
    cutoff = None
    for value in (3.4, 3.08, 3.09, 3.1):
        stopper = six_finished()
        if told(stopper, "next", 60, value):
            cutoff = stopper.stops["next"].cutoff
            assert value > cutoff
        elif cutoff is not None:
            assert value <= cutoff


def test_the_more_trials_came_the_smaller_the_chance_that_is_enough() -> None:
    few, many = six_finished(), six_finished()
    for number in range(200):
        many.record(60, f"stopped {number}", 3.5)
    assert told(few, "next", 60, 3.09) and not told(many, "next", 60, 3.09)


def test_where_values_do_not_order_the_ends_every_trial_runs_on() -> None:
    stopper = Stopper("predictive", "val_bpb", RUNGS)
    for place, end in enumerate([2.3, 2.0, 2.5, 2.1, 2.4, 2.2]):
        told(stopper, str(place), 60, 3.0 + place / 10)
        stopper.finished(str(place), end)
    assert not told(stopper, "bad", 60, 9.0)
    (line,) = stopper.news()
    assert line.startswith("rung 60 orders the ends with rank correlation ") and line.endswith(
        "not enough: trials run on"
    )


def test_a_change_of_what_is_decided_is_said_once() -> None:
    stopper = six_finished()
    news = stopper.news()
    assert [line.split(" orders")[0] for line in news] == ["rung 60", "rung 120"]
    assert all("rank correlation 1.00 (1.00 to 1.00) over 6 finished trials: trials above 3." in line for line in news)
    assert stopper.news() == []
    for number in range(6):  # the evidence turns
        stopper.record(60, f"late {number}", 3.5)
        stopper.finished(f"late {number}", 1.9)
    (line,) = stopper.news()
    assert line.startswith("rung 60 ") and line.endswith("trials run on"), "no late one came to rung 120"
    assert not told(stopper, "bad", 60, 3.4)


def test_the_base_is_never_stopped_and_a_loss_that_is_not_finite_ends_a_trial() -> None:
    stopper = six_finished(protected=frozenset(["base"]))
    assert not told(stopper, "base", 60, 9.0) and stopper.reached(60) == 7
    assert told(stopper, "broken", 60, math.nan) and "broken" not in stopper.stops


def test_an_end_beyond_the_limits_tells_of_others_but_is_none_to_beat() -> None:
    stopper = six_finished()
    stopper.finished("too large", 1.0, counts=False)
    assert not told(stopper, "good", 60, 3.02), "else the best would be 1.0"
    only = Stopper("predictive", "val_bpb", RUNGS)
    for place, end in enumerate(ENDS):
        told(only, str(place), 60, 3.0 + place / 10)
        only.finished(str(place), end, counts=False)
    assert not told(only, "bad", 60, 9.0), "there is nobody to beat"


def test_a_stopper_rebuilt_from_its_records_decides_as_the_live_one() -> None:
    live, again = six_finished(), Stopper("predictive", "val_bpb", RUNGS)
    for place, end in enumerate(ENDS):
        for rung in RUNGS:
            again.record(rung, str(place), 3.0 + place / 10)
        again.finished(str(place), end)
    for value in (3.05, 3.08, 3.1, 3.2):
        key = str(value)
        assert told(live, key, 60, value) == told(again, key, 60, value)
        assert live.stops.get(key) == again.stops.get(key)


def test_a_trial_that_begins_again_is_forgotten_with_its_end() -> None:
    stopper = six_finished()
    for key in "01":
        stopper.forget(key)
    assert stopper.reached(60) == 4 and not told(stopper, "bad", 60, 3.4), "four have finished"


def settling(config: TrainConfig, milestone: float) -> float:
    """A curve whose values on the way order its ends."""
    rate = config.optimizer.matrix_lr  # type: ignore[attr-defined]
    return 1.5 + abs(math.log10(rate / 0.1)) + 10 / (10 + milestone) + len(repr(config)) % 7 / 1000


def test_a_search_stops_trials_says_why_and_a_resume_restores_the_rule(bench, play) -> None:
    search = bench.search(trials=30, slots=1, stopper="predictive")
    play(search, settling).run()
    stopped = [row for row in bench.rows() if row["status"] == "stopped"]
    assert 5 <= len(stopped) <= 24
    assert all("its chance of ending as the best is" in row["reason"] for row in stopped)
    assert all(row["cutoff"] < row["last_value"] and row["rung"] in RUNGS for row in stopped)
    said = [text for text in search.notes if text.startswith("rung 60 orders the ends")]
    assert said and files.read(bench.folder / "errors" / "notes.txt", 10**6).decode().splitlines()[0] in search.notes

    again = bench.search(trials=40, slots=1, stopper="predictive")
    for rung in RUNGS:
        there, here = search.stopper.rule.line(rung), again.stopper.rule.line(rung)
        assert there == here is not None
    assert again.stopper.rule.values == search.stopper.rule.values


def test_a_resume_of_a_confirmation_says_nothing_of_rungs_at_which_no_trial_can_stop(bench, play) -> None:
    asked = {"trials": 12, "slots": 1, "stopper": "predictive", "confirm": Design(1, 2, 2)}
    search = bench.search(**asked)
    played = play(search, settling)
    while "confirm" not in [row["stage"] for row in bench.rows() if row["status"] == "completed"]:
        played.run(steps=1)
    assert any("orders the ends" in text for text in search.notes)
    again = bench.search(**asked)
    play(again, settling).run()
    ended = [row["stage"] for row in bench.rows() if row["status"] == "completed"]
    assert ended.count("confirm") == 4, "the resume had runs to finish"
    assert not [text for text in again.notes if "orders the ends" in text]


def test_what_orders_no_ends_stops_no_trial_of_a_search(bench, play) -> None:
    def turning(config: TrainConfig, milestone: float) -> float:
        """Values on the way and ends that have nothing to do with each other."""
        text = json.dumps([repr(config), milestone >= 240])
        return 2.0 + sum(map(ord, text)) * 7919 % 1009 / 1000

    play(bench.search(trials=20, stopper="predictive"), turning).run()
    assert [row["status"] for row in bench.rows()].count("stopped") <= 2


@pytest.mark.parametrize("name", ["asha", "none"])
def test_other_rules_learn_nothing_from_ends_and_have_no_news(name) -> None:
    stopper = Stopper(name, "val_bpb", RUNGS)
    stopper.finished("a", 2.0)
    assert stopper.news() == [] and stopper.reached(60) == 0


def test_a_warm_start_of_the_same_question_is_evidence_from_the_first_trial_on(bench, make_bench, play) -> None:
    play(bench.search(trials=12, stopper="none"), settling).run()
    prior = warm_start.load([str(bench.folder)], bench.space, bench.base, "proxy", DATA)
    assert all([at for at, _ in point.at_rungs] == RUNGS for point in prior.points)
    kept = warm_start.of_json(json.loads(json.dumps(prior.to_json())))
    assert kept.points == prior.points
    search = make_bench("next").search(trials=6, stopper="predictive", prior=kept)
    assert search.stopper.reached(60) == len(prior.points) == len(search.stopper.rule.pairs(60))
    worst = max(dict(point.at_rungs)[60] for point in prior.points)
    assert told(search.stopper, "bad", 60, worst + 1)
    for other in ({"stopper": "asha"}, {"stopper": "predictive", "fidelity": "branch"}):
        assert make_bench("next").search(trials=6, prior=kept, **other).stopper.reached(60) == 0


def test_a_warm_start_of_other_data_or_another_fidelity_is_no_evidence(bench, make_bench, play) -> None:
    play(bench.search(trials=4, stopper="none"), settling).run()
    foreign = warm_start.load([str(bench.folder)], bench.space, bench.base, "proxy", "other data")
    assert foreign.points and not any(point.at_rungs for point in foreign.points)
    store = bench.store()
    store.revise({"fidelity": "branch"})
    branched = warm_start.load([str(bench.folder)], bench.space, bench.base, "proxy", DATA)
    assert branched.points and not any(point.at_rungs for point in branched.points)
