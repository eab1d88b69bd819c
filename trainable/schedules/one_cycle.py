"""OneCycle (Smith, arXiv 1803.09820) in torch's two-phase cosine form: the rate up and down, the momentum against it.

torch counts its steps from 0 to n - 1 and has its peak at step pct n - 1: to repeat it exactly, set ``horizon.steps``
to n - 1 and ``pct_start`` to (pct n - 1) / (n - 1). The mainrun report's "current" settings are pct_start 0.5,
div_factor 10 and final_div_factor 1e4; its proposal 0.2, 5 and 100.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainable.ranges import Factor, InnerPart, PartBelowOne
from trainable.schedules.schedule import Schedule, half_cosine


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """Half a cosine from 1/div_factor to 1 up to ``pct_start``, another down to 1/(div_factor final_div_factor).

    1 is the optimizer's own rate, torch's ``max_lr``. With ``cycle_momentum`` the momentum (of Adam: beta1, whatever
    the optimizer says) goes from ``max_momentum`` to ``base_momentum`` and back, in the same phases.
    """

    pct_start: InnerPart = 0.3  # of the horizon
    div_factor: Factor = 25.0
    final_div_factor: Factor = 1e4
    cycle_momentum: bool = True
    base_momentum: PartBelowOne = 0.85
    max_momentum: PartBelowOne = 0.95

    def validate(self) -> None:
        self.check(self.base_momentum <= self.max_momentum, "base_momentum", "in [0, max_momentum]")

    def __call__(self, progress: float) -> float:
        start = 1 / self.div_factor
        if progress < self.pct_start:
            return half_cosine(1 - progress / self.pct_start, start)
        return half_cosine((progress - self.pct_start) / (1 - self.pct_start), start / self.final_div_factor)

    def momentum(self, progress: float) -> float | None:
        if not self.cycle_momentum:
            return None
        rising = progress < self.pct_start
        from_peak = self.pct_start - progress if rising else progress - self.pct_start
        height = half_cosine(from_peak / (self.pct_start if rising else 1 - self.pct_start), 0.0)
        return self.max_momentum - (self.max_momentum - self.base_momentum) * height
