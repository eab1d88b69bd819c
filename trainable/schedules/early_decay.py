"""A decay that begins before its time: how a run that is still at a high rate is judged (``worker/fidelity.py``).

Haegele et al. (arXiv 2405.18392): from a checkpoint of a run at a constant rate, a short decay gives nearly the loss
that a whole schedule of that length would have had.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainable.ranges import PartBelowOne, PositivePart
from trainable.schedules.cosine import Cosine
from trainable.schedules.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class EarlyDecay(Schedule):
    """p < at: inner(p); then linear from inner(at) to inner(1) over ``frac``, and inner(1) from there on."""

    inner: Schedule = Cosine()
    at: PartBelowOne = 0.5  # of the horizon
    frac: PositivePart = 0.1  # of the horizon

    def __call__(self, progress: float) -> float:
        if progress < self.at:
            return self.inner(progress)
        phase = min(1.0, (progress - self.at) / self.frac)
        return (1 - phase) * self.inner(self.at) + phase * self.inner(1.0)

    def momentum(self, progress: float) -> float | None:
        return self.inner.momentum(progress)
