"""What an end means, by the trial's row, its last word, and what early stopping said."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from search_spaces.constraints import parse_all
from tuner.early_stopping import Stop
from tuner.failures import NODE, PROCESS
from tuner.loop.endings import SAME_ERRORS, Losses, SameErrors, ending

GONE_ON = {"status": "running", "milestone": 60.0, "val_bpb": 1.5}
DONE = {"status": "completed", "milestone": 240.0, "val_bpb": 1.25}
SIZES = {"last_value": 1.25, "parameters": 1000}


@pytest.mark.parametrize(
    ("row", "result", "status", "reason"),
    [
        (SIZES, DONE, "completed", ""),
        (SIZES, GONE_ON, "interrupted", ""),
        (SIZES, {}, "interrupted", ""),  # it never reported
        (SIZES, DONE | {"status": "interrupted"}, "interrupted", ""),
        (SIZES, GONE_ON | {"val_bpb": math.nan}, "diverged", "val_bpb is not finite at milestone 60"),
        (SIZES, GONE_ON | {"val_bpb": None}, "diverged", "val_bpb is not finite at milestone 60"),
        (SIZES | {"last_value": None}, DONE, "diverged", "it ended with val_bpb None"),
        (SIZES, DONE | {"status": "diverged", "reason": "a NaN at step 7"}, "diverged", "a NaN at step 7"),
        (SIZES, DONE | {"violation": "artifact 17 > 16 bytes"}, "infeasible", "artifact 17 > 16 bytes"),
        (SIZES | {"parameters": 2000}, DONE, "infeasible", "parameters 2,000 > 1,500 (parameters<=1500)"),
        (
            SIZES | {"parameters": 2000},
            DONE | {"violation": "artifact 17 > 16 bytes"},
            "infeasible",
            "artifact 17 > 16 bytes; parameters 2,000 > 1,500 (parameters<=1500)",
        ),
    ],
)
def test_a_trial_that_ended_by_itself_ended_as_its_row_and_its_last_word_say(
    toy_space, row, result, status, reason
) -> None:
    space = replace(toy_space, constraints=parse_all(["parameters<=1500"]))
    found = ending(row, result, None, space)
    assert (found.status, found.reason, found.columns) == (status, reason, {})


def test_what_early_stopping_ended_says_at_which_rung_and_what_it_had_to_beat(toy_space) -> None:
    found = ending(SIZES, GONE_ON, Stop(60.0, 1.5, 1.25, "best 1/2 of 4 there"), toy_space)
    assert (found.status, found.columns) == ("stopped", {"rung": 60.0, "cutoff": 1.25})
    assert found.reason == "rung 60: 1.5000 > 1.2500 (best 1/2 of 4 there)"


def test_a_trial_is_given_up_when_it_was_lost_in_one_way_more_often_than_that_way_may_be() -> None:
    losses = Losses()
    assert [losses.count("a", PROCESS) for _ in range(PROCESS.limit)] == [""] * PROCESS.limit
    assert losses.count("a", NODE) == "" == losses.count("b", PROCESS), "each trial and each way for itself"
    assert losses.count("a", PROCESS) == f"gave up: its process was killed {PROCESS.limit + 1} times"


def test_one_error_again_and_again_ends_the_campaign_and_a_trial_that_works_begins_the_count_anew() -> None:
    errors = SameErrors()
    assert [errors.crashed("x") for _ in range(SAME_ERRORS - 1)] == [""] * (SAME_ERRORS - 1)
    errors.worked()
    assert [errors.crashed(text) for text in ("x", "x", "y", "x", "x")] == [""] * 5
    assert errors.crashed("x") == f"{SAME_ERRORS} trials in a row ended with the same error: x"
