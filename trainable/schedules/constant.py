"""No schedule."""

from __future__ import annotations

from dataclasses import dataclass

from trainable.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """1 throughout."""

    def __call__(self, progress: float) -> float:
        return 1.0
