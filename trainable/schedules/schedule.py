"""The protocol of schedules: pure functions of progress in [0, 1] that give a multiplier for every group's rate.

They never see steps or seconds: the loop turns the spent part of the horizon into progress, so each of them completes
whatever the budget is counted in. In all formulas p is the progress and m is ``min_lr_frac``.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from trainable.component import Component


@dataclass(frozen=True, kw_only=True)
class Schedule(Component):
    """A shape of the learning rate over a run."""

    kind: ClassVar[str] = "schedule"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, progress: float) -> float:
        """The multiplier at ``progress`` in [0, 1]; never negative."""

    def momentum(self, progress: float) -> float | None:
        """The momentum (of Adam: beta1) of every group at ``progress``; None leaves it to the optimizer."""
        return None


def half_cosine(phase: float, floor: float) -> float:
    """Fall from 1 at phase 0 to ``floor`` at phase 1 along half a cosine."""
    return floor + (1 - floor) / 2 * (1 + math.cos(math.pi * phase))
