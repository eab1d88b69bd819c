"""Monitors of a training: what its curve says beside losses, gradient norms and rates, and how often.

They are measured at every 32nd step (on CUDA every 64th, where the small kernels of a probe cost more beside a step),
at half as many once there are 64 such points, and so on: together less than 1 % of a step's time
(``python -m benchmarks.curve_cost``). They read and never write, so they are no part of a trial's key.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.listed import comma_separated
from terminal.nearest import nearest
from terminal.once import refuse_twice

UPDATES, WEIGHT_NORMS, CLIPS, ATTENTION, LOGITS = MONITORS = ("updates", "weights", "clips", "attention", "logits")
ALL_MONITORS, NO_MONITORS = "all", "none"

PROBE_TOKENS = 256  # of the validation split, that a pass reads to look at the attention
MONITORED_POINTS = 64  # of a training at most, an even number; no more than POINTS_OF_A_CURVE
EVERY_STEPS, EVERY_STEPS_ON_CUDA = 32, 64  # powers of two: such steps are among those that a curve keeps

# Unit of each column by the first part of its name; docs/curves.md says what they mean.
MONITOR_UNITS = {
    "update_norm": "unit of weight",
    "weight_norm": "unit of weight",
    "clipped_share": "share of steps",
    "qk_clips": "clips",
    "attention_entropy": "nats",
    "largest_logit": "nats",
}


@dataclass(frozen=True)
class Monitors:
    """Choice of what is monitored."""

    names: tuple[str, ...] = MONITORS

    @classmethod
    def of_text(cls, text: str) -> Monitors:
        """Read names divided by commas, ``all`` or ``none``; a ValueError for another one."""
        asked = comma_separated(text)
        if asked in ([ALL_MONITORS], [NO_MONITORS]):
            return cls(MONITORS if asked == [ALL_MONITORS] else ())
        for name in asked:
            if name in (ALL_MONITORS, NO_MONITORS):
                raise ValueError(f"{name!r} stands alone: give all, none, or some of {', '.join(MONITORS)}")
            if name not in MONITORS:
                known = (*MONITORS, ALL_MONITORS, NO_MONITORS) if len(asked) == 1 else MONITORS
                raise ValueError(f"{name!r} is no monitor: {nearest(name, known, 'monitors')}")
        refuse_twice(asked)
        return cls(tuple(name for name in MONITORS if name in asked))

    def __str__(self) -> str:
        if self.names in ((), MONITORS):
            return ALL_MONITORS if self.names else NO_MONITORS
        return ",".join(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self.names


EVERYTHING = Monitors()


def steps_between(device_type: str) -> int:
    """Return how many steps lie between two that are monitored, in a run that is not long."""
    return EVERY_STEPS_ON_CUDA if device_type == "cuda" else EVERY_STEPS
