"""Schedules that early stopping cut short: the value of such a trial was taken at a rate that was still to fall."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

LEVEL_SHAPES = {"Constant", "Warmup", "Phases"}  # of which alone a rate does not fall
AS_IT_STANDS = ("truncate", "")  # fidelities by which a rung judges the run itself, without a decay of its own


def cut_schedules(campaign: Mapping[str, Any], trials: pd.DataFrame) -> pd.Series:
    """The horizon (in budget units) of each stopped trial whose schedule had not finished there; null for all others.

    A trial that a rung judged by a schedule of its own (fidelity ``complete`` or ``branch``) is none of them, nor is
    one whose schedule is constant.
    """
    found = pd.Series(float("nan"), index=trials.index)
    if (campaign.get("fidelity") or "") not in AS_IT_STANDS:
        return found
    stopped = trials.loc[trials["status"] == "stopped", ["rung", "config", "budget", "budget_unit"]]
    for at, rung, text, budget, unit in stopped.itertuples(name=None):
        config = json.loads(text) if isinstance(text, str) else None
        if isinstance(config, dict) and set(_shapes(config.get("schedule"))) - LEVEL_SHAPES:
            horizon = _amount(config.get("horizon"), unit) or float(budget)
            found[at] = horizon if rung < horizon else float("nan")
    return found


def _shapes(schedule: Any) -> Iterator[str]:
    """The types of a schedule, and of those that it is made of."""
    if isinstance(schedule, dict):
        if isinstance(schedule.get("type"), str):
            yield schedule["type"]
        for inner in schedule.values():
            yield from _shapes(inner)


def _amount(horizon: Any, unit: Any) -> float | None:
    amount = horizon.get(unit) if isinstance(horizon, dict) else None
    return float(amount) if isinstance(amount, int | float) else None
