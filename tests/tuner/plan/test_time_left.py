"""The time left of made-up books, whose truth is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from results.design import Design
from results.statistics.confirmation import rounds
from results.store.row_parts import with_all_columns
from tuner.plan.known import DRIFT, Known, ToCome
from tuner.plan.pace import TrialCourse
from tuner.plan.time_left import Span, time_left

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


def left(come, rows, now, round=None) -> Span | None:
    live = {row["key"] for row in rows if row["status"] == "running"}
    return time_left(come, rows, live, BEGAN + timedelta(seconds=now), round)


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


def test_the_share_that_is_stopped_at_a_rung_is_the_one_that_was_seen() -> None:
    come = ToCome(ASHA.course, 240.0, slots=1, to_start=40, stopper="asha")
    harsh = [ended(n, 30.0 * n, 60.0, status="stopped", rung=60.0) for n in range(1, 31)]
    mild = [ended(n, 120.0 * n, value=1.0) for n in range(1, 31)]
    assert left(come, harsh, 1000.0).middle < 40 * 60 < 40 * 100 < left(come, mild, 5000.0).middle


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


@pytest.mark.parametrize(("stopper", "shares"), [("none", (1, 1)), ("asha", (0.5, 0.5)), ("median", (0.5, 0.5))])
def test_a_rule_lets_its_share_go_on_where_nothing_was_seen(stopper, shares) -> None:
    come = ToCome(TrialCourse((60.0, 120.0)), 240.0, 1, 1, stopper)
    assert (come.share(60.0), come.share(120.0)) == shares


def test_hyperband_judges_at_a_rung_only_those_of_its_brackets() -> None:
    come = ToCome(TrialCourse((60.0, 120.0)), 240.0, 1, 1, "hyperband")
    assert 0.5 < come.share(120.0) < come.share(60.0) < 1.0


def test_a_base_is_not_counted_at_rungs_nor_as_a_candidate() -> None:
    rows = [ended(0, 0.0, value=1.0), ended(1, 0.0, 60.0, status="stopped", rung=60.0)]
    known = Known.of(ASHA, rows, set(), BEGAN)
    assert known.stopped == {60.0: (0, 1), 120.0: (0, 0)} and known.completed == []


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
        return Known.of(NONE_STOPPED, rows, set(), BEGAN).drift

    assert drift(even) == DRIFT < 2 * DRIFT < drift(uneven)
    assert drift(mixed) == DRIFT, "trials that differ by themselves are no drift"
    spans = [left(ToCome(TrialCourse(), 240.0, 2, 8), rows, 3000.0) for rows in (even, uneven)]
    assert spans[1].high / spans[1].low > 1.3 * spans[0].high / spans[0].low
