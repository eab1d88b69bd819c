"""One "finish" for all that is left of an interrupted campaign, in the words of what it is."""

from __future__ import annotations

import pandas as pd

from results.questions.finished_once import GOES_ON, finished_once


def interrupt(campaign, number: int) -> None:
    """Take the end from a run, as an interruption does."""
    here = campaign.rows["number"] == number
    campaign.rows["status"] = campaign.rows["status"].astype(str)
    campaign.rows.loc[here, "status"] = "interrupted"
    campaign.rows.loc[here, "value"] = None


def finishes(campaign):
    steps = campaign.next_steps()
    return steps[steps["step"] == "finish"]


def test_an_interrupted_confirmation_is_to_be_finished_once_and_as_a_confirmation(confirmed) -> None:
    campaign = confirmed(trials=6)
    for number in (17, 18):
        interrupt(campaign, number)
    (row,) = finishes(campaign).to_dict("records")
    assert row["why"] == f"the confirmation 2x3..5 is not over, 7 of at least 9 runs ended ({GOES_ON})"
    assert row["runs"] == 2 and row["takes"].startswith("2 to 8 runs, about ")


def test_trials_and_a_confirmation_that_are_cut_off_are_one_step_with_one_number(confirmed) -> None:
    campaign = confirmed(trials=8)
    interrupt(campaign, 18)
    (row,) = finishes(campaign).to_dict("records")
    assert row["why"].startswith("6 of 8 trials begun; the confirmation 2x3..5 is not over, 8 of at least 9 runs ended")
    assert row["why"].count(GOES_ON) == 1 and row["runs"] == 2 + 1
    assert row["takes"].startswith("2 trials, then 1 to 7 runs, about ")
    assert campaign.next_steps()["step"].iloc[0] == "finish"


def test_a_later_confirmation_that_is_cut_off_comes_before_taking_the_standing_winner_apart(confirmed) -> None:
    campaign = confirmed()
    assert campaign.next_steps()["step"].iloc[0] == "take apart"
    again = campaign.rows[campaign.rows["number"].isin([10, 11, 12])]
    keys, statuses = [f"{90 + place:016x}" for place in range(3)], ["completed", "completed", "interrupted"]
    again = again.assign(round=1, number=range(30, 33), key=keys, seed=11, status=statuses)
    object.__setattr__(campaign, "rows", pd.concat([campaign.rows, again], ignore_index=True))
    assert campaign.next_steps()["step"].iloc[0] == "finish"


def test_a_part_whose_time_is_not_known_leaves_the_whole_without_one() -> None:
    other = {"step": "more trials", "why": "x", "runs": 24}
    first = {"step": "finish", "why": "a", "counts": "2 trials", "runs": 2, "seconds": 10.0, "most_seconds": 20.0}
    last = {"step": "finish", "why": "b", "runs": 3, "takes": None}
    assert finished_once([first, other]) == [first, other]
    whole, then = finished_once([first, other, last])
    assert then is other and whole["why"] == f"a; b ({GOES_ON})" and whole["runs"] == 5
    assert whole["takes"] == "2 trials, then 3 runs at least" and whole["seconds"] is None
