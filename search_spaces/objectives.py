"""Objectives of a space: numbers of a trial's report, and what a run must have to give each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from terminal.listed import comma_separated
from terminal.nearest import nearest
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import Dataset

MEASURED_ON_THE_WAY = ("val_bpb", "val_loss", "val_nats_per_character", "val_mainrun_loss")
# Known when a run has ended, so that there is nothing to stop trials by: such a search has no rungs.
# Of the exported weights, known at the end too; on the way the score of the weights as they are stands for it.
QUANTISED = ("val_bpb_quantised", "val_loss_quantised")
JUDGED_ON_THE_WAY = (*MEASURED_ON_THE_WAY, *QUANTISED)
MINUTES = "train_minutes"
CORE, CORE_ERROR = "core", "core_error"
MEASURED_AT_THE_END = ("time_to_target", MINUTES, CORE_ERROR)
OBJECTIVES = (*JUDGED_ON_THE_WAY, *MEASURED_AT_THE_END)
# What a trial costs: a second objective, or the measure of a constraint.
COSTS = ("train_seconds", MINUTES, "step_seconds", "parameters", "artifact_bytes", "peak_memory_bytes")
BY_CLOCK = ("train_seconds", MINUTES, "step_seconds", "time_to_target")  # which what runs beside makes longer
# How well a trial ended: an objective, or the measure of a constraint ("the fewest minutes to ...").
SCORES_AT_THE_END = (*JUDGED_ON_THE_WAY, CORE_ERROR, CORE)
LARGER_IS_BETTER = (CORE,)  # of these, those that are better when larger: they can be limited, not minimised
HIGHEST = {CORE: 1.0}  # all questions answered right

MAINRUN_ROWS = 64  # windows of the contest's batch
BY_CHARACTER = ("val_nats_per_character", "val_mainrun_loss")


class Measured(TypedDict, total=False):
    """Numbers behind the costs. A trial's row has them all (results/store/row_types.py), as mypy holds."""

    train_seconds: float | None
    train_minutes: float | None
    extra_seconds: float | None
    steps: int | None
    parameters: int | None
    artifact_bytes: int | None
    peak_memory_bytes: int | None


def check(objective: str, config: TrainConfig, dataset: Dataset | None = None) -> None:
    """Raise a ValueError, with what to set, unless runs of ``config`` (on ``dataset``, once there) can give it."""
    problem = _problem_with_config(objective, config)
    if problem is None and objective in BY_CHARACTER and dataset is not None and dataset.characters is None:
        problem = f"a source of text, and {config.data.source!r} does not say what its characters are"
    if problem is not None:
        raise ValueError(f"the objective {objective} needs {problem}")


def parse(text: str) -> tuple[str, str | None]:
    """``NAME`` or ``NAME,NAME``: what is minimised, and a second objective if there is one."""
    if (count := len(comma_separated(text))) > 2:
        raise ValueError(f"an objective is one name, or two, not {count}: {text!r}")
    first, comma, second = (part.strip() for part in text.partition(","))
    if CORE in (first, second):
        raise ValueError(f"the objective {CORE} is better when larger: take {CORE_ERROR}, which is 1 - {CORE}")
    if first not in OBJECTIVES:
        raise ValueError(f"unknown objective {first!r}: {nearest(first, OBJECTIVES, 'objectives')}")
    if comma and second not in (*OBJECTIVES, *COSTS):
        known = {*OBJECTIVES, *COSTS}
        raise ValueError(f"unknown second objective {second!r}: {nearest(second, known, 'objectives and costs')}")
    if first == second:
        raise ValueError(f"the two objectives are both {first}")
    return first, second or None


def check_second(objective: str, config: TrainConfig, dataset: Dataset | None = None) -> None:
    """Check a second objective as :func:`check` does the first; it may be a cost."""
    if objective in OBJECTIVES:
        check(objective, config, dataset)
    elif objective == "artifact_bytes" and config.artifact is None:
        raise ValueError("the objective artifact_bytes needs an artifact: --set artifact=Artifact")
    elif objective == "train_seconds" and (problem := _problem_with_clock(config)) is not None:
        raise ValueError(f"the objective train_seconds needs {problem}")


def cost_of(measure: str, row: Measured) -> float | None:
    """A measure of a trial's row; None where the row does not know it (peak memory on a CPU, say).

    Seconds are those of the run itself: what its fidelity trains beside it is a price of the search, not of the config.
    """
    seconds, steps = row.get("train_seconds"), row.get("steps")
    if measure == "train_seconds" and seconds is not None:
        return seconds - (row.get("extra_seconds") or 0.0)
    if measure == "step_seconds":
        return seconds / steps if seconds and steps else None
    cells: Mapping[str, Any] = row
    return cells.get(measure)


def _problem_with_config(objective: str, config: TrainConfig) -> str | None:
    if objective.endswith("_quantised") and config.artifact is None:
        return "an artifact: --set artifact=Artifact"
    if objective == "val_mainrun_loss" and config.evaluation.mainrun_rows is None:
        return f"evaluation.mainrun_rows, which is null: the contest's batch is {MAINRUN_ROWS}"
    if objective in (CORE, CORE_ERROR) and config.evaluation.core is None:
        return "the questions of CORE: --set evaluation.core=Core"
    if objective == "time_to_target":
        return _problem_with_target(config)
    return _problem_with_clock(config) if objective == MINUTES else None


def _problem_with_clock(config: TrainConfig) -> str | None:
    all_the_same = "a budget in another unit: all trials would take the same"
    return all_the_same if config.budget.unit == "seconds" else None


def _problem_with_target(config: TrainConfig) -> str | None:
    if config.target is None:
        return "a target: --set target.loss=NUMBER"
    if config.budget.seconds is None or config.budget != Budget(seconds=config.budget.seconds):
        # a miss has the seconds until its budget ended it, which only a limit in seconds keeps above every hit
        first = "" if config.budget.seconds else "--set budget.seconds=NUMBER and "
        limits = f"{first}null the other limits"
        return f"a budget in seconds alone, or runs that miss the target may look fast: {limits}"
    return None
