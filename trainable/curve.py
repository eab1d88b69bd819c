"""The training curve of a run: numbers of its steps, kept where they are computed until a report is made.

A tensor among them stays on the device, so that recording waits for nothing; a report reads them all in one transfer.
A run has at most ``POINTS_OF_A_CURVE`` points (see thinning.py), and what is monitored (monitors.py) at fewer of them.
They are part of its state: a resumed run has the curve that it would have had. ``recording.py`` says what is measured.
"""

from __future__ import annotations

from typing import Any

from trainable import monitors
from trainable.curve_points import Points
from trainable.monitors import EVERY_STEPS
from trainable.thinning import Thinning

CURVE_UNITS = {
    "loss": "nats/token",
    "gradient_norm": "nats/token per unit of weight",
    "learning_rate": "factor",
    **monitors.MONITOR_UNITS,
}
NEVER = 2**62  # steps


class CurveRecorder:
    """The curve of one run so far."""

    def __init__(self, monitored_every: int = EVERY_STEPS) -> None:
        self.points = Points(Thinning())
        self.monitored = Points(Thinning(stride=monitored_every, most=monitors.MONITORED_POINTS))

    @classmethod
    def of_nothing(cls) -> CurveRecorder:
        """A curve that keeps no step: of training that is forgotten."""
        curve = cls()
        for series in (curve.points, curve.monitored):
            series.thinning = Thinning(seen=1, stride=NEVER, most=series.thinning.most)
        return curve

    def count_step(self) -> None:
        """Note that a step is over, whether it was kept or not."""
        self.points.thinning.seen += 1
        self.monitored.thinning.seen += 1

    def plain(self) -> dict[str, Any]:
        """The curve as numbers of Python: ``steps``, ``tokens``, and by name ``values`` and ``units``.

        A name that was not measured at all of the steps has its own in ``measured_at``.
        """
        found = self.points.values() | self.monitored.values()
        steps = list(self.points.steps)
        return {
            "steps": steps,
            "tokens": list(self.points.tokens),
            "values": {name: list(numbers) for name, (_, numbers) in found.items()},
            "units": {name: CURVE_UNITS[name.partition(".")[0]] for name in found},
            "measured_at": {name: list(own) for name, (own, _) in found.items() if own != steps},
        }

    def state_dict(self) -> dict[str, Any]:
        """Plain data, as a checkpoint holds it."""
        return {"points": self.points.state_dict(), "monitored": self.monitored.state_dict()}

    def load_state_dict(self, state: dict[str, Any], device: str) -> None:
        """Go on with the curve of ``state``, on the run's device."""
        self.points.load_state_dict(state["points"], device)
        self.monitored.load_state_dict(state["monitored"], device)
