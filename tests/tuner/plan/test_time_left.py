"""The time left of made-up books, whose truth is known."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from results.design import Design
from results.statistics.confirmation import rounds
from results.store.row_parts import with_all_columns
from tuner.plan.known import DRIFT, Known, ToCome
from tuner.plan.pace import TrialCourse
from tuner.plan.time_left import Span, _Future, time_left

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NONE_STOPPED = ToCome(TrialCourse(), 240.0, slots=2, to_start=0)
ASHA = ToCome(TrialCourse((60.0, 120.0)), 240.0, slots=2, to_start=0, stopper="asha")
WIDE = 3 * DRIFT  # how far a mean over futures may be off, of which each has a machine of another speed


def ended(number, at, spent=240.0, second=0.5, status="completed", **cells):
    """A trial that began ``at`` seconds after the campaign and trained ``second`` seconds a step."""
    started = BEGAN + timedelta(seconds=at)
    seconds = spent * second
    usual = {
        "key": f"key {number}", "number": number, "stage": "search", "is_base": number == 0, "objective": "val_bpb",
        "status": status, "config": "{}", "overrides": "{}", "attempt": 1, "budget": 240.0, "spent": spent,
        "train_seconds": seconds, "wall_seconds": seconds, "started_at": started,
        "ended_at": started + timedelta(seconds=seconds), "value": None,
    }  # fmt: skip
    return with_all_columns({**usual, **cells})


def running(number, at, spent=None, second=0.5, **cells):
    done = ended(number, at, spent or 0.0, second, "running", **cells)
    return done | {"ended_at": None} | ({} if spent else {"train_seconds": None, "wall_seconds": None, "spent": None})


def left(come, rows, now, round=None, at_rungs=None) -> Span | None:
    live = {row["key"] for row in rows if row["status"] == "running"}
    return time_left(come, rows, live, BEGAN + timedelta(seconds=now), at_rungs or {}, round)


def test_nothing_is_said_before_any_trial_has_reported() -> None:
    assert left(ToCome(TrialCourse(), 240.0, 2, 4), [running(0, 0.0), running(1, 0.0)], 30.0) is None


def test_trials_to_come_take_their_turns_in_the_slots() -> None:
    rows = [ended(0, 0.0), ended(1, 0.0)]
    found = left(ToCome(TrialCourse(), 240.0, 2, 5), rows, 120.0)
    assert found.middle == pytest.approx(3 * 120, rel=WIDE), "three rounds of two slots, the last one half empty"
    assert found.low <= found.middle <= found.high


def test_one_trial_that_is_left_is_not_divided_by_all_slots() -> None:
    rows = [ended(0, 0.0), ended(1, 0.0), running(2, 120.0, 60.0)]
    found = left(ToCome(TrialCourse(), 240.0, 8, 0), rows, 150.0)
    assert found.middle == pytest.approx(90.0, rel=WIDE)


def test_stopped_trials_do_not_make_the_others_seem_short() -> None:
    """The mean of what has ended is 30 s; both that run have passed every rung, and take 120 s."""
    stopped = [ended(n, 15.0 * n, 60.0, status="stopped", rung=60.0) for n in range(1, 5)]
    rows = [*stopped, running(5, 100.0, 120.0), running(6, 100.0, 120.0)]
    found = left(ASHA, rows, 160.0)
    assert found.middle == pytest.approx(60.0, rel=WIDE)


def test_trials_to_come_are_judged_beside_those_that_were() -> None:
    """Of 40 trials about half go on at the first rung; where nobody is judged, all do."""
    come = ToCome(ASHA.course, 240.0, slots=1, to_start=40, stopper="asha")
    rows = [ended(n, 30.0 * n, 60.0, status="stopped", rung=60.0) for n in range(1, 31)]
    seen = {row["key"]: {60.0: 3.0 + row["number"]} for row in rows}
    judged = left(come, rows, 1000.0, at_rungs=seen).middle
    assert 40 * 45 < judged < 40 * 85
    assert left(replace(come, stopper="none"), rows, 1000.0, at_rungs=seen).middle == pytest.approx(40 * 120, rel=WIDE)


def in_a_short_search():
    """Base and five trials in two slots, after the base has completed: two of them were stopped, one runs."""
    rows = [
        ended(0, 0.0, value=3.19),
        ended(1, 0.0, 60.0, status="stopped", rung=60.0),
        ended(2, 40.0, 120.0, status="stopped", rung=120.0),
        running(3, 120.0),
    ]
    return rows, {"key 0": {60.0: 3.65, 120.0: 3.41}, "key 1": {60.0: 3.86}, "key 2": {60.0: 3.74, 120.0: 3.52}}


def test_a_short_search_in_which_none_has_completed_yet_comes_to_its_confirmation() -> None:
    rows, seen = in_a_short_search()
    come = ToCome(ASHA.course, 240.0, 2, to_start=2, stopper="asha", confirm=Design(1, 2, 2))
    found = left(come, rows, 125.0, at_rungs=seen)
    assert found.middle > 2 * 120, "four runs in two slots, beside what the search still takes"
    assert found.low < 120, "it may also end without one"


def test_before_any_has_completed_a_candidate_is_as_likely_to_be_worse_than_the_base_as_better() -> None:
    rows, seen = in_a_short_search()
    come = ToCome(ASHA.course, 240.0, 2, to_start=20, stopper="asha", confirm=Design(1, 2, 9))
    known = Known.of(come, rows, {"key 3"}, BEGAN + timedelta(seconds=125), seen)
    effects = []
    for number in range(60):
        future = _Future(known, random.Random(number))
        future.completed = [(future._value(), "key 3")]
        effects += future._looks(come.confirm)[1].effects
    assert 0.3 < sum(effect < 0 for effect in effects) / len(effects) < 0.7


def test_two_that_end_alike_do_not_make_a_confirmation_sure() -> None:
    """The SD of two values that happen to be equal says nothing of the noise: that of a rung does."""
    seen = {f"key {n}": {60.0: 3.4 + 0.1 * n} for n in range(6)}
    rows = [ended(0, 0.0, value=3.1936), ended(1, 0.0, value=3.1944)]
    rows += [ended(n, 60.0 * n, 60.0, status="stopped", rung=60.0) for n in range(2, 6)]
    come = ToCome(ASHA.course, 240.0, 2, 0, stopper="asha", confirm=Design(1, 2, 3))
    assert left(come, rows, 400.0, at_rungs=seen).high > 1.4 * 2 * 120
    assert left(come, rows, 400.0).high < 1.4 * 2 * 120, "without the rung, two runs each"


def test_the_confirmation_of_a_trial_that_runs_is_as_slow_as_the_machine() -> None:
    rows = [ended(0, 0.0, value=1.0), running(1, 0.0, 239.0, second=0.5)]
    found = left(ToCome(TrialCourse(), 240.0, 1, 0, confirm=Design(1, 4, 4)), rows, 119.6)
    assert found.low < 0.95 * 8 * 120 and found.high > 1.05 * 8 * 120


def test_time_passes_while_nothing_is_reported() -> None:
    rows = [ended(0, 0.0), ended(1, 0.0), running(2, 120.0), running(3, 120.0)]
    said = [left(NONE_STOPPED, rows, now).middle for now in (120.0, 160.0, 200.0)]
    assert said[0] - said[2] == pytest.approx(80.0, abs=3.0) and said[0] > said[1] > said[2]


def test_a_trial_that_says_nothing_for_long_is_a_slow_one() -> None:
    rows = [ended(0, 0.0), ended(1, 0.0), running(2, 120.0)]
    assert left(NONE_STOPPED, rows, 120.0 + 600.0).middle > 60.0


def test_a_running_trial_keeps_its_own_pace() -> None:
    rows = [ended(0, 0.0), running(1, 120.0, 60.0, second=5.0)]
    assert left(NONE_STOPPED, rows, 420.0).middle == pytest.approx(900.0, rel=0.05)


def test_the_confirmation_is_in_it_from_the_start() -> None:
    rows = [ended(n, 120.0 * n, value=1.0 - n / 10) for n in range(4)]
    come = ToCome(TrialCourse(), 240.0, 2, 0, confirm=Design(1, 4, 4))
    assert left(come, rows, 480.0).middle == pytest.approx(4 * 120.0, rel=WIDE), "two arms on four seeds in two slots"


def confirmed(number, arm, seed, value, status="completed"):
    is_base = arm == "key 0"
    cells = {"stage": "confirm", "arm": arm, "seed": seed, "round": 0, "design": "1x2..6", "is_base": is_base}
    return ended(number, 480.0, value=value, status=status, **cells)


@pytest.mark.parametrize(("ahead", "runs"), [(-0.5, 0), (0.5, 0), (-0.012, 8)])
def test_a_confirmation_that_is_decided_takes_no_longer_and_an_undecided_one_does(ahead, runs) -> None:
    rows = [ended(0, 0.0, value=1.0), ended(1, 0.0, value=0.9)]
    values = {("key 0", 7): 1.0, ("key 1", 7): 1.0 + ahead, ("key 0", 8): 1.01, ("key 1", 8): 1.02 + ahead}
    rows += [confirmed(2 + n, *name, value) for n, (name, value) in enumerate(values.items())]
    come = ToCome(TrialCourse(), 240.0, 2, 0, confirm=Design(1, 2, 6))
    found = left(come, rows, 600.0, rounds(rows)[0])
    assert (found.high > 0) == (runs > 0)
    assert found.high <= runs / 2 * 120 * (1 + WIDE)


def test_a_replay_knows_its_rows() -> None:
    rows = [ended(0, 0.0, recorded_id="A"), ended(1, 0.0, second=4.0, recorded_id="B")]
    come = ToCome(TrialCourse(), 240.0, 1, 2, planned=(("B", 240.0), ("C", 240.0)))
    first = left(come, rows, 960.0)
    second = left(ToCome(TrialCourse(), 240.0, 1, 1, planned=(("B", 480.0),)), rows, 960.0)
    assert second.middle == pytest.approx(480 * 4.0, rel=WIDE), "its own budget, at the pace of its row"
    assert first.low > 960.0 * (1 - WIDE)


def test_failures_end_early() -> None:
    crashed = [ended(n, 10.0 * n, 24.0, status="crashed") for n in range(1, 20)]
    rows = [ended(0, 0.0), *crashed]
    found = left(ToCome(TrialCourse(), 240.0, 1, 20), rows, 300.0)
    assert found.middle < 20 * 60.0


def test_waiting_trials_go_on_from_where_they_were() -> None:
    rows = [ended(0, 0.0), ended(1, 0.0, 180.0, status="interrupted")]
    assert left(NONE_STOPPED, rows, 120.0).middle == pytest.approx(30.0, rel=WIDE)


def test_more_trials_than_are_played_are_more_of_the_same() -> None:
    rows = [ended(0, 0.0), ended(1, 0.0)]
    found = left(ToCome(TrialCourse(), 240.0, 2, 4000), rows, 120.0)
    assert found.middle == pytest.approx(2000 * 120, rel=WIDE)


def test_a_base_is_no_candidate() -> None:
    known = Known.of(ASHA, [ended(0, 0.0, value=1.0), ended(1, 0.0, value=0.9)], set(), BEGAN, {})
    assert known.completed == [(0.9, "key 1")] and known.base == ("key 0", 1.0)


def test_a_span_runs_down_and_ends_with_the_hours() -> None:
    assert Span(10.0, 20.0, 30.0).after(15.0) == Span(0.0, 5.0, 15.0)
    assert Span(10.0, 20.0, 30.0).at_most(25.0) == Span(10.0, 20.0, 25.0)


def test_a_replay_takes_as_long_as_its_runs_are_large() -> None:
    """Two small runs have ended; a large one is to come that has not run, and a small one that has."""
    rows = [ended(0, 0.0, recorded_id="small"), ended(1, 0.0, recorded_id="other")]
    work = {"small": 1e9, "other": 1e9, "large": 5e9}
    come = ToCome(TrialCourse(), 240.0, slots=1, to_start=2, planned=(("large", 240.0), ("small", 120.0)), work=work)
    assert left(come, rows, 240.0).middle == pytest.approx(5 * 120 + 60, rel=WIDE)
    unknown = ToCome(TrialCourse(), 240.0, slots=1, to_start=2, planned=come.planned)
    assert left(unknown, rows, 240.0).middle == pytest.approx(120 + 60, rel=WIDE), "as those that ran"


def test_a_run_of_a_replay_that_is_silent_is_taken_to_be_of_its_own_size() -> None:
    rows = [ended(0, 0.0, recorded_id="small"), running(1, 120.0, recorded_id="large")]
    come = ToCome(TrialCourse(), 240.0, slots=1, to_start=0, planned=(), work={"small": 1e9, "large": 5e9})
    assert left(come, rows, 130.0).middle == pytest.approx(5 * 120 - 10, rel=WIDE)


def test_a_machine_whose_speed_has_changed_may_change_again() -> None:
    even = [ended(n, 120.0 * n, second=0.5) for n in range(24)]
    uneven = [ended(n, 120.0 * n, second=0.5 if n < 12 else 1.0) for n in range(24)]
    mixed = [ended(n, 120.0 * n, second=0.5 if n % 2 else 1.0) for n in range(24)]

    def drift(rows):
        return Known.of(NONE_STOPPED, rows, set(), BEGAN, {}).drift

    assert drift(even) == DRIFT < 2 * DRIFT < drift(uneven)
    assert drift(mixed) == DRIFT, "trials that differ by themselves are no drift"
    spans = [left(ToCome(TrialCourse(), 240.0, 2, 8), rows, 3000.0) for rows in (even, uneven)]
    assert spans[1].high / spans[1].low > 1.3 * spans[0].high / spans[0].low
