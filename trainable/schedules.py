"""Learning-rate schedules: pure functions of progress in [0, 1] that give a multiplier for every group's rate.

They never see steps or seconds: the loop turns the spent part of the horizon into progress, so each of them completes
whatever the budget is counted in. m below is ``min_lr_frac``, p the progress.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from trainable.component import Component

GOLDEN = 0.382  # 1 - 1/golden ratio: where parameter golf's tidal schedule peaks


@dataclass(frozen=True, kw_only=True)
class Schedule(Component):
    """A shape of the learning rate over a run."""

    kind: ClassVar[str] = "schedule"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, progress: float) -> float:
        """The multiplier at ``progress`` in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """1 throughout."""

    def __call__(self, progress: float) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Warmdown(Schedule):
    """1, then linear to m over the last ``warmdown_frac``: modded-nanogpt's trapezoid, the competition's default."""

    warmdown_frac: float = 0.4
    min_lr_frac: float = 0.0

    def __post_init__(self) -> None:
        self.check(0 < self.warmdown_frac <= 1, "warmdown_frac", "in (0, 1]")
        _check_floor(self)

    def __call__(self, progress: float) -> float:
        left = min(1.0, (1 - progress) / self.warmdown_frac)
        return self.min_lr_frac + (1 - self.min_lr_frac) * left


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """m + (1-m)/2 (1 + cos(pi frac(p n))) with n = ``cycles`` restarts: parameter golf's BASE."""

    min_lr_frac: float = 0.1
    cycles: int = 1

    def __post_init__(self) -> None:
        _check_floor(self)
        self.check(self.cycles >= 1, "cycles", "at least 1")

    def __call__(self, progress: float) -> float:
        phase = progress * self.cycles
        phase = 1.0 if progress == 1 else phase - math.floor(phase)
        return _half_cosine(phase, self.min_lr_frac)


@dataclass(frozen=True, kw_only=True)
class Tidal(Schedule):
    """Linear m -> 1 up to ``warmup_frac``, then cosine 1 -> m: parameter golf's N2."""

    warmup_frac: float = GOLDEN
    min_lr_frac: float = 0.1

    def __post_init__(self) -> None:
        self.check(0 <= self.warmup_frac < 1, "warmup_frac", "in [0, 1)")
        _check_floor(self)

    def __call__(self, progress: float) -> float:
        m = self.min_lr_frac
        if progress < self.warmup_frac:
            return m + (1 - m) * progress / self.warmup_frac
        return _half_cosine((progress - self.warmup_frac) / (1 - self.warmup_frac), m)


@dataclass(frozen=True, kw_only=True)
class Breathing(Schedule):
    """Linear m -> 1 up to ``warm_frac``, 1 up to ``hold_end``, then cosine 1 -> m: parameter golf's NF1."""

    warm_frac: float = 4 / 19
    hold_end: float = 11 / 19
    min_lr_frac: float = 0.1

    def __post_init__(self) -> None:
        self.check(0 <= self.warm_frac < 1, "warm_frac", "in [0, 1)")
        self.check(self.warm_frac <= self.hold_end < 1, "hold_end", f"in [warm_frac = {self.warm_frac:.4g}, 1)")
        _check_floor(self)

    def __call__(self, progress: float) -> float:
        m = self.min_lr_frac
        if progress < self.warm_frac:
            return m + (1 - m) * progress / self.warm_frac
        if progress < self.hold_end:
            return 1.0
        return _half_cosine((progress - self.hold_end) / (1 - self.hold_end), m)


def _half_cosine(phase: float, floor: float) -> float:
    return floor + (1 - floor) / 2 * (1 + math.cos(math.pi * phase))


def _check_floor(schedule: Warmdown | Cosine | Tidal | Breathing) -> None:
    schedule.check(0 <= schedule.min_lr_frac <= 1, "min_lr_frac", "in [0, 1]")
