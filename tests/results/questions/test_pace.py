"""The time that more runs of a campaign would take, by its own record."""

from __future__ import annotations

from results.design import Design
from results.questions.pace import recorded_pace
from tests.results.questions.made_up_search import KNOBS as MADE_UP_KNOBS
from tests.results.questions.made_up_search import RANGES, place, search


def _runs(ended, took, start, **columns):
    return [
        ended(n, "completed", 1.0 + n, {"model.tied": False} if n else None, at=a + t, took=t, **columns)
        for n, (t, a) in enumerate(zip(took, start, strict=True))
    ]


def test_trials_that_ran_together_had_a_slot_each(ended, written) -> None:
    pace = recorded_pace(written(_runs(ended, (30.0, 50.0, 40.0), (0.0, 0.0, 30.0))))
    assert (pace.whole_seconds, pace.trial_seconds, pace.slots) == (40.0, 40.0, 2)
    assert pace.of_runs(10) == 200.0 and pace.of_trials(10) == 200.0


def test_a_trial_that_was_stopped_counts_for_trials_and_not_for_whole_runs(ended, written) -> None:
    rows = [
        ended(0, "completed", 1.9, took=100.0, at=100.0),
        ended(1, "stopped", 2.2, {"model.tied": False}, took=20.0, at=120.0, rung=60.0),
    ]
    pace = recorded_pace(written(rows))
    assert (pace.whole_seconds, pace.trial_seconds, pace.slots) == (100.0, 60.0, 1)


def test_a_trial_that_was_interrupted_counts_for_the_slots_and_not_for_the_time_of_a_trial(ended, written) -> None:
    cut_off = [
        ended(1, "interrupted", None, {"model.tied": False}, took=50.0, at=100.0),
        ended(2, "interrupted", None, {"model.tied": False}, took=50.0, at=100.0),
    ]
    pace = recorded_pace(written([ended(0, "completed", 1.9, took=100.0, at=100.0), *cut_off]))
    assert (pace.whole_seconds, pace.trial_seconds, pace.slots) == (100.0, 100.0, 3)
    pace = recorded_pace(written(cut_off, name="none_ended"))
    assert (pace.of_trials(12), pace.slots) == (None, 2)


def test_runs_after_the_search_say_how_long_a_whole_run_takes(confirmed) -> None:
    campaign = confirmed()
    rows = campaign.rows.copy()
    rows["wall_seconds"] = [500.0 if stage == "confirm" else 10.0 for stage in rows["stage"]]
    object.__setattr__(campaign, "rows", rows)
    pace = recorded_pace(campaign)
    assert (pace.whole_seconds, pace.trial_seconds) == (500.0, 10.0)


def test_a_confirmation_waits_for_each_look(ended, written) -> None:
    pace = recorded_pace(written(_runs(ended, (30.0, 30.0), (0.0, 0.0))))
    assert pace.of_confirmation(Design(3, 3, 9)) == (180.0, 540.0)


def test_without_a_run_that_has_ended_nothing_is_known(ended, written) -> None:
    for name, rows in (("empty", []), ("running", [ended(0, "running", 1.0, ended_at=None)])):
        pace = recorded_pace(written(rows, name=name))
        assert (pace.of_runs(3), pace.of_trials(3), pace.of_confirmation(Design(1, 2, 2)), pace.slots) == (
            None, None, None, 1,
        )  # fmt: skip


def test_each_next_step_says_how_long_it_takes(ended, make_trial, written, confirmed) -> None:
    rows = search(make_trial, lambda row: 3 - place(row), trials=60)
    for n, row in enumerate(rows):  # one after another, a minute each
        row.update({name: cell for name, cell in ended(n, "completed", 1.0, at=60.0 * (n + 1), took=60.0).items()
                    if name in ("started_at", "ended_at")})  # fmt: skip
    found = written(rows, knobs=MADE_UP_KNOBS, ranges=RANGES, trials=60).next_steps().set_index("step")
    assert found.loc["confirm", "takes"] == "12 to 70 runs, about 12 min to 1 h 10 min"
    assert found.loc["widen", "takes"] == "a search of 60 trials, about 1 h"
    assert found.loc["more trials", "takes"] == "24 more trials, about 24 min"
    assert found.loc["more trials", ["seconds", "most_seconds"]].tolist() == [1440.0, 1440.0]
    apart = confirmed(name="other").next_steps().iloc[0]
    assert apart["step"] == "take apart" and apart["takes"] == "15 runs, about 4 min 30 s"
