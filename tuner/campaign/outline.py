"""Outline of a training curve: a few means of its loss, which the book keeps for pictures of a few characters."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

OUTLINE_POINTS = 12  # of a whole trial; one that has come half way has half of them


def outline(curve: Mapping[str, Any], part: float) -> tuple[float, ...]:
    """The mean loss of each twelfth of a trial's budget that it has come through, or is in; oldest first.

    ``curve`` is a report's (trainable/curve.py, or what a function of somebody's own reported) and ``part`` how much of
    the budget the trial has spent. Empty for a curve without a loss; a stretch without a finite one is left out.
    """
    steps, values = curve["steps"], curve["values"]
    losses = values.get("loss", values.get("reported_value"))
    if not steps or not losses or part <= 0:
        return ()
    whole = steps[-1] / min(part, 1.0)
    stretches: dict[int, list[float]] = {}
    for step, loss in zip(steps, losses, strict=True):
        if isfinite(loss):
            stretches.setdefault(min(OUTLINE_POINTS - 1, int(OUTLINE_POINTS * (step - 1) / whole)), []).append(loss)
    return tuple(sum(found) / len(found) for _, found in sorted(stretches.items()))
