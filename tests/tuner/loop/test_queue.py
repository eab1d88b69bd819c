"""What comes next: what was left open, then new trials, then what confirms the best; and when nothing does."""

from __future__ import annotations

from typing import Any

from results.design import Design


def running(search: Any, count: int) -> list[str]:
    """Start so many trials."""
    keys = []
    for _ in range(count):
        request = search.next()
        search.start(request.key)
        keys.append(request.key)
    return keys


def test_what_an_earlier_start_left_open_comes_before_anything_new(bench) -> None:
    left = running(bench.search(trials=4, slots=2), 2)
    queue = bench.search(trials=4, slots=2).queue
    assert [queue.next().key, queue.next().key] == left and queue.num_started == 2
    assert queue.next().key not in left and queue.num_started == 3


def test_a_trial_that_was_lost_is_offered_before_all_others(bench) -> None:
    running(bench.search(trials=4, slots=2), 2)
    queue = bench.search(trials=4, slots=2).queue
    first = queue.next()
    queue.again(first)
    assert queue.next() is first


def test_it_is_empty_once_the_budget_is_given_out_and_nothing_waits(bench) -> None:
    search = bench.search(trials=3, slots=3)
    running(search, 2)
    assert search.queue.searching and not search.queue.empty
    running(search, 1)
    assert not search.queue.searching and search.queue.empty


def test_proposals_without_a_further_config_end_the_search_but_not_what_waits(bench, monkeypatch) -> None:
    running(bench.search(trials=4, slots=2), 2)
    queue = bench.search(trials=4, slots=2).queue
    monkeypatch.setattr(queue.proposals, "next", lambda: None)
    assert queue.next() is not None and queue.next() is not None and not queue.spent
    assert queue.next() is None and queue.spent and queue.empty


def test_a_confirmation_waits_until_the_last_trial_of_the_search_has_ended(bench, result_of) -> None:
    design = Design(1, 3, 3)
    search = bench.search(trials=3, slots=3, confirm=design)
    for key in running(search, 3):
        assert search.queue.next() is None and not search.queue.empty, "what runs decides who is confirmed"
        assert search.to_confirm == design.fewest_runs
        entry = search.live[key]
        result = result_of(entry.config, 240.0, 1.0 + entry.number, "completed")
        search.report(key, result)
        search.end(key, result)
    assert search.queue.next().stage == "confirm" and not search.queue.empty
