from __future__ import annotations

import pytest

from results.design import Design
from tuner.cli.time_left_of_search import TimeLeft, time_left_of, to_come
from tuner.plan.span_text import said_of_left
from tuner.plan.time_left import Span


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Span(560.0, 610.0, 640.0), "about 10 min"),
        (Span(400.0, 610.0, 900.0), "about 10 min (6 min 30 s to 15 min)"),
        (Span(3.0, 4.0, 8.0), "about 5 s (5 s to 10 s)"),
        (Span(0.0, 0.0, 0.0), "about 5 s"),
        (Span(90_000.0, 91_000.0, 93_000.0), "about 25 h"),
    ],
)
def test_a_time_is_said_with_its_range_where_it_has_one(span, text) -> None:
    assert said_of_left(span) == text


def test_a_search_says_nothing_before_its_first_report_and_while_it_ends(bench, play) -> None:
    search = bench.search(trials=6, slots=2)
    assert time_left_of(search) is None
    play(search).run(8)
    assert time_left_of(search) is not None
    search.stop("interrupted")
    assert time_left_of(search) is None


def test_the_hours_end_it_where_they_come_first(bench, play) -> None:
    search = bench.search(trials=500, slots=2, hours=0.01)
    play(search).run(12)
    bench.now = 20.0
    assert time_left_of(search).high <= 0.01 * 3600 - 20.0


def test_trials_that_an_earlier_start_left_are_still_to_come(bench, play) -> None:
    play(bench.search(trials=4, slots=2, stopper="none")).run(7)  # killed
    search = bench.search(trials=4, slots=2, stopper="none")
    rows = [row for row in bench.rows() if row["status"] != "infeasible"]
    assert search.queue.waiting and to_come(search).to_start == 4 - len(rows)
    whole = max(row["train_seconds"] for row in rows if row["status"] == "completed")
    assert time_left_of(search).high > 0.5 * whole


@pytest.mark.parametrize("steps", [5, 30, 60, 90])
def test_a_campaign_with_a_confirmation_says_less_and_less(bench, play, steps) -> None:
    search = bench.search(trials=6, slots=2, confirm=Design(2, 2, 4))
    tune = play(search)
    tune.run(steps)
    found = time_left_of(search)
    tune.run()
    assert found is None or found.low <= found.middle <= found.high
    after = time_left_of(search)
    assert search.over and (after is None or after.high == 0.0)


def test_an_estimate_is_made_anew_now_and_then_and_runs_down_in_between(bench, play, monkeypatch) -> None:
    from tuner.cli import time_left_of_search

    asked, at = [], [100.0]
    monkeypatch.setattr(time_left_of_search, "time_left_of", lambda search: asked.append(1) or Span(50.0, 60.0, 70.0))
    left = TimeLeft(bench.search(), lambda: at[0])
    assert left.now() == Span(50.0, 60.0, 70.0)
    at[0] += 1.0
    assert left.now() == Span(49.0, 59.0, 69.0) and len(asked) == 1
    at[0] += 5.0
    assert left.now() == Span(50.0, 60.0, 70.0) and len(asked) == 2


def test_a_search_by_a_users_own_function_has_its_reports_and_no_evaluations(tmp_path) -> None:
    from benchmarks.simulator import MemoryStore
    from search_spaces.own_train import own_space
    from tuner.loop.inputs import OneStart, Problem
    from tuner.search_loop import Search
    from tuner.spec import CampaignSpec

    space, base = own_space("train", {"lr": "0.001..0.1 log"}, {"lr": 0.01}, 100, 7, "loss")
    spec = CampaignSpec(space="train", objective="loss", trials=5, stopper="asha", reports=4, seed=7)
    store = MemoryStore(tmp_path, "loss")
    come = to_come(Search(Problem(space, base, spec, "made-up"), store, OneStart(slots=2, seed=7)))
    assert (come.to_start, come.slots, come.budget, come.confirm) == (5, 2, 100, None)
    assert come.course.milestones(100.0) == [20.0, 25.0, 40.0, 50.0, 60.0, 80.0] and come.course.at_the_end == 1.0
