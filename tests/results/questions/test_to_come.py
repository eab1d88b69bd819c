"""Runs that the confirmation and the ablation of a campaign have still to make."""

from __future__ import annotations

import pytest

from results.design import Design
from results.questions.pace import RecordedPace, recorded_pace
from results.questions.to_come import ablation_to_come, confirmation_to_come, seconds_to_come
from results.statistics.ablation import num_runs
from results.statistics.runs_to_come import NO_ABLATION, NO_CONFIRMATION

DESIGN = Design(2, 3, 5)


def test_a_confirmation_that_is_over_has_no_runs_to_come(confirmed) -> None:
    assert confirmation_to_come(confirmed(), DESIGN, 0) == NO_CONFIRMATION


def test_one_that_goes_on_has_those_it_lacks(confirmed) -> None:
    found = confirmation_to_come(confirmed(better=1.6005, other=1.62), DESIGN, 0)
    assert found.runs == (0, 3 * 5 - 9) and found.waves(1) == (0, 6)


def test_before_any_round_the_candidates_are_those_that_completed(ended, written) -> None:
    rows = [ended(0, "completed", 1.9), ended(1, "completed", 1.8, {"model.tied": False})]
    assert confirmation_to_come(written(rows), DESIGN, 0).runs == (2 * 3, 2 * 5)
    assert confirmation_to_come(written(rows[:1], name="base"), DESIGN, 0) == NO_CONFIRMATION


def test_after_more_trials_the_winner_takes_part_again_or_nothing_is_new(confirmed, ended, written) -> None:
    assert confirmation_to_come(confirmed(), DESIGN, 24).runs == (0, (3 + 1) * 5)
    new = written([ended(0, "completed", 1.9)], name="new")
    assert confirmation_to_come(new, DESIGN, 24).runs == (9, 15)


def test_the_ablation_of_a_winner_that_is_known_counts_its_own_changes(confirmed) -> None:
    found = ablation_to_come(confirmed(), 3, 24, another=False)
    assert (found.runs, found.trial, found.changes, found.begun) == (num_runs(2, 3), 3, 2, False)
    assert ablation_to_come(confirmed(name="other"), 3, 24, another=True).runs == (0, num_runs(24, 3)[1])


def test_an_ablation_that_has_begun_has_the_last_look_to_come(confirmed) -> None:
    found = ablation_to_come(confirmed(ablated=True), 3, 24, another=False)
    assert found.begun and found.runs == (9, 9), "what is left, the base and the winner on fresh seeds"


def test_an_unfinished_group_is_counted_by_the_runs_that_it_lacks(confirmed) -> None:
    campaign = confirmed(ablated=True)
    last = campaign.rows.index[-2:]
    campaign.rows.loc[last, ["value", "ended_at"]] = [None, None]
    campaign.rows["status"] = campaign.rows["status"].astype(str)
    campaign.rows.loc[last, "status"] = "running"
    assert ablation_to_come(campaign, 3, 24, another=False).runs == (2, num_runs(2, 3)[1] - 4)


def test_all_of_it_has_one_price(confirmed) -> None:
    campaign, pace = confirmed(), RecordedPace(10.0, 5.0, 2)
    later, apart = confirmation_to_come(campaign, DESIGN, 4), ablation_to_come(campaign, 3, 24, another=False)
    waves = later.waves(2)
    assert seconds_to_come(pace, 4, later, apart) == (10.0 + 15 * 5.0, 10.0 + waves[1] * 10.0 + 15 * 5.0)
    assert seconds_to_come(RecordedPace(None, None, 1), 4, NO_CONFIRMATION, NO_ABLATION) is None


@pytest.mark.parametrize("ablate", [False, True])
def test_more_trials_are_priced_with_what_follows_them(confirmed, ablate) -> None:
    campaign = confirmed(confirm="2x3..5", ablate=ablate)
    row = campaign.next_steps(4).set_index("step").loc["more trials"]
    knobs = num_runs(6, 3)[1] if ablate else 0
    why = confirmation_to_come(campaign, DESIGN, 4).why_a_span
    assert why == "none where the best trials stay the same, most where the winner takes part again"
    assert row["takes"].startswith(f"4 more trials, then 0 to {20 + knobs} runs on fresh seeds ({why}), about ")
    pace = recorded_pace(campaign)
    assert row["seconds"] == pytest.approx(pace.of_trials(4))
    assert row["most_seconds"] > row["seconds"] + pace.of_runs(knobs)


def test_a_last_look_that_is_missing_is_a_next_step(confirmed) -> None:
    first = confirmed(ablated=True).next_steps().iloc[0]
    assert first["step"] == "finish" and "ablation of trial 3 is not over" in first["why"] and first["runs"] == 9
