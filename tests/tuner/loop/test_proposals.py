"""The next point is found while others run, where trials are so short that a slot would wait for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tuner.loop import proposals

RUNNING = "RUNNING"


@pytest.fixture
def ahead(bench, result_of):
    """Points that the study has handed out beyond the trials there are, once a trial has ended and all slots run."""

    def of(slots: int, short: bool, monkeypatch) -> int:
        monkeypatch.setattr(proposals, "SHORT", timedelta(hours=1) if short else timedelta(0))
        search = bench.search(trials=8, slots=slots)
        requests = [search.next() for _ in range(slots)]
        for request in requests:
            search.start(request.key)
        assert search.next() is None
        states = [t.state.name for t in search.proposals.sampler.study.get_trials(deepcopy=False)]
        assert states.count(RUNNING) == slots, "it is not known yet how long a trial is"
        search.end(requests[0].key, result_of(bench.base, 240.0, 1.5, "completed"))
        assert search.next() is not None and search.next() is None
        states = [t.state.name for t in search.proposals.sampler.study.get_trials(deepcopy=False)]
        return states.count(RUNNING) - len(search.live)

    return of


def test_while_trials_are_short_a_point_is_asked_for_before_a_slot_is_free(ahead, monkeypatch) -> None:
    assert ahead(2, True, monkeypatch) == 1


def test_beside_longer_trials_the_sampler_knows_each_end_before_it_proposes(ahead, monkeypatch) -> None:
    assert ahead(2, False, monkeypatch) == 0


def test_in_one_slot_every_proposal_knows_the_trial_before_it(ahead, monkeypatch) -> None:
    assert ahead(1, True, monkeypatch) == 0


def test_a_point_that_is_not_used_leaves_no_row_and_nothing_running_in_the_study(bench, play, monkeypatch) -> None:
    monkeypatch.setattr(proposals, "SHORT", timedelta(hours=1))
    search = bench.search(trials=8, slots=2)
    play(search).run(steps=12)
    search.next()
    asked = len(search.proposals.sampler.study.get_trials(deepcopy=False))
    search.interrupt(2)
    search.abandon()
    trials = search.proposals.sampler.study.get_trials(deepcopy=False)
    assert asked == len(trials) > len(bench.rows()), "one was asked for ahead"
    assert RUNNING not in {trial.state.name for trial in trials}
    play(again := bench.search(trials=8, slots=2)).run()
    assert again.num_started == 8 == sum(row["status"] != "infeasible" for row in bench.rows())


def test_a_point_that_waits_is_the_next_trial_and_counts_once(bench, play, monkeypatch) -> None:
    monkeypatch.setattr(proposals, "SHORT", timedelta(hours=1))
    search = bench.search(trials=8, slots=3)
    play(search).run()
    rows = [row for row in bench.rows() if row["stage"] == "search"]
    assert sum(row["status"] != "infeasible" for row in rows) == 8
    told = [t for t in search.proposals.sampler.study.get_trials(deepcopy=False) if t.user_attrs.get("key")]
    assert sorted(t.user_attrs["key"] for t in told) == sorted(row["key"] for row in rows)
