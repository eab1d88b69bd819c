"""A warmup in front of any schedule: what tidal and breathing share and what made them win."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from trainable.ranges import Part, PartBelowOne
from trainable.schedules.cosine import Cosine
from trainable.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Warmup(Schedule):
    """Linear from ``start_frac`` to 1 times the inner schedule's start up to ``frac``, then all of it in what is left.

    p < frac: inner(0) (s + (1-s) p/frac), else inner((p-frac) / (1-frac)). At s = 0 the first step changes nothing.
    Tidal is ``Warmup(frac=0.382, start_frac=0.1, inner=Cosine())``; frac = 0 is the inner schedule itself.
    """

    switched_by: ClassVar[Mapping[str, str]] = {"start_frac": "frac"}

    frac: PartBelowOne = 0.1  # of the horizon
    start_frac: Part = 0.0
    inner: Schedule = Cosine()

    def __call__(self, progress: float) -> float:
        if progress < self.frac:
            return self.inner(0.0) * (self.start_frac + (1 - self.start_frac) * progress / self.frac)
        return self.inner((progress - self.frac) / (1 - self.frac))

    def momentum(self, progress: float) -> float | None:
        return self.inner.momentum(max(0.0, progress - self.frac) / (1 - self.frac))
