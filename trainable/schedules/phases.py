"""One schedule after another. Either may be ``Phases`` again, so any number can follow each other."""

from __future__ import annotations

from dataclasses import dataclass

from trainable.ranges import InnerPart
from trainable.schedules.constant import Constant
from trainable.schedules.cosine import Cosine
from trainable.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Phases(Schedule):
    """p < at: first(p / at), else second((p-at) / (1-at)): each sees its own progress from 0 to 1."""

    first: Schedule = Constant()
    second: Schedule = Cosine()
    at: InnerPart = 0.5  # of the horizon

    def __call__(self, progress: float) -> float:
        if progress < self.at:
            return self.first(progress / self.at)
        return self.second((progress - self.at) / (1 - self.at))

    def momentum(self, progress: float) -> float | None:
        if progress < self.at:
            return self.first.momentum(progress / self.at)
        return self.second.momentum((progress - self.at) / (1 - self.at))
