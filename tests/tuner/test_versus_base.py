"""What a submission says of its trial beside the base, and an export of the trial that nobody named."""

from __future__ import annotations

import pandas as pd
import pytest

from results.plain_rows import plain_rows
from results.store.frames import Results
from tuner.artifacts.kept_trial import why_this_one
from tuner.artifacts.versus_base import lines_versus_base

BASE = [0.50, 0.51, 0.52]  # minutes, on three fresh seeds
SCORES = [8.57, 8.58, 8.59]


def campaign(lower: list[float], worse_score: float, objective: str = "train_minutes") -> Results:
    """A search of a base and trial 1, and three pairs of them on fresh seeds."""
    start = {"stage": "search", "round": None, "arm": None, "design": None, "seed": 7, "status": "completed"}
    rows = [
        {**start, "number": 0, "key": "a", "is_base": True, "value": 0.5, "val_bpb": 8.6},
        {**start, "number": 1, "key": "b", "is_base": False, "value": 0.6, "val_bpb": 8.7},
    ]
    for seed, (change, minutes, score) in enumerate(zip(lower, BASE, SCORES, strict=True), 8):
        for arm, own, scored in (("a", minutes, score), ("b", minutes + change, score + worse_score)):
            again = {"stage": "confirm", "round": 0, "arm": arm, "design": "1x3", "seed": seed, "status": "completed"}
            row = {**again, "number": len(rows), "key": f"{arm}{seed}", "is_base": arm == "a", "value": own}
            rows.append(row | {"val_bpb": scored})
    frame = pd.DataFrame([{"overrides": "{}", **row} for row in rows])
    return Results({"objectives": [objective]}, frame, pd.DataFrame(), "night", None)  # type: ignore[arg-type]


def test_each_difference_names_its_measure_and_the_score_is_compared_too() -> None:
    found = campaign([-0.1, -0.2, 0.1], 0.01)
    minutes, score = lines_versus_base(found, plain_rows(found.rows)[1])
    assert minutes.startswith("train_minutes against the base on the same fresh seeds: -0.0667 (")
    assert "not established" in minutes
    assert score.startswith("val_bpb against the base on the same fresh seeds (before the round trip): +0.0100 (")
    assert score.endswith("not corrected for several looks and candidates, so no verdict)")
    again = next(row for row in plain_rows(found.rows) if row["number"] == 3)
    assert lines_versus_base(found, again) == [minutes, score], "a run of it on a fresh seed is the same config"


def test_a_difference_that_does_not_flatter_is_said_as_well() -> None:
    found = campaign([0.2, 0.21, 0.19], 0.2, "val_bpb")
    (line,) = lines_versus_base(found, plain_rows(found.rows)[1])
    assert (
        line.startswith("val_bpb against the base on the same fresh seeds (before the round trip): +0.2000 (")
        and "3 pairs" in line
    )
    rows = plain_rows(found.rows)
    assert lines_versus_base(found, rows[0]) == [], "the base is not beside itself"


def test_without_a_confirmation_the_single_runs_are_compared_as_such() -> None:
    found = campaign([0.2, 0.21, 0.19], 0.2)
    searched = Results(found.campaign, found.rows[:2], found.reports, "night", found.store)
    (line,) = lines_versus_base(searched, plain_rows(searched.rows)[1])
    said = "val_bpb against the base on the search's seed (before the round trip): +0.1000"
    assert line == f"{said} (one run each, and no finding)"
    searched.rows["val_bpb_quantised"] = [9.0, 9.5]
    (line,) = lines_versus_base(searched, plain_rows(searched.rows)[1])
    assert line.startswith("val_bpb_quantised against the base on the search's seed (after the round trip): +0.5000")


def test_the_score_after_the_round_trip_is_compared_where_there_is_one() -> None:
    found = campaign([-0.1, -0.2, 0.1], 0.01)
    found.rows["val_bpb_quantised"] = found.rows["val_bpb"] * 2
    score = lines_versus_base(found, plain_rows(found.rows)[1])[1]
    assert score.startswith(
        "val_bpb_quantised against the base on the same fresh seeds (after the round trip): +0.0200"
    )
    of_it = Results({"objectives": ["val_bpb_quantised"]}, found.rows, found.reports, "night", found.store)
    assert len(lines_versus_base(of_it, plain_rows(of_it.rows)[1])) == 1, "not a second time, before it"


@pytest.mark.parametrize(
    ("lower", "best", "said"),
    [
        ([-0.2, -0.21, -0.19], 0.4, "trial 1 is the winner: established to be better than the base on fresh seeds"),
        ([-0.1, -0.2, 0.1], 0.4, "that it is better than the base is not established"),
        ([-0.1, -0.2, 0.1], 0.6, "trial 0 is the base: no trial of the search has a lower train_minutes"),
    ],
)
def test_an_export_without_a_number_says_which_trial_it_is_and_what_is_known(lower, best, said) -> None:
    found = campaign(lower, 0.0)
    found.rows.loc[1, "value"] = best
    row = plain_rows(found.rows)[0 if "trial 0" in said else 1]
    assert said in why_this_one(found, row)
