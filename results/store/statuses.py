"""The statuses and stages that a trial's row may have, and which statuses mean that the trial is over."""

from __future__ import annotations

from typing import Final, Literal, get_args

Status = Literal["running", "completed", "stopped", "diverged", "plateaued", "crashed", "infeasible", "interrupted"]
Stage = Literal["search", "confirm", "ablate"]

# Order of the categorical in `Results.trials`. "running" also stands after a kill -9, until a resume settles it.
STATUSES: tuple[Status, ...] = get_args(Status)
STAGES: tuple[Stage, ...] = get_args(Stage)

UNFINISHED: tuple[Status, ...] = ("running", "interrupted")  # a resume goes on with such a trial
ENDED: tuple[Status, ...] = tuple(status for status in STATUSES if status not in UNFINISHED)

SEARCH: Final = "search"
CONFIRM: Final = "confirm"
ABLATE: Final = "ablate"
STAGE_NAMES = {CONFIRM: "confirmation", ABLATE: "ablation"}  # of what trains after the search, for people
