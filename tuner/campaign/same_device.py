"""Devices of several kinds in a campaign: steps, tokens and FLOPs are alike on all of them, seconds are not.

Where trials are limited or compared by wall-clock time, a campaign keeps to one kind of device unless asked not to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from results.store.campaign_json import STEP_SECONDS
from results.store.row_types import TRIAL_COLUMNS
from search_spaces.space import Space
from trainable.training import Training

# Objectives and measures in seconds or minutes.
TIMED = {column.name for column in TRIAL_COLUMNS if column.is_measure and column.unit in ("s", "min")} | {STEP_SECONDS}
REMEDY = "give --mixed-devices to run all the same, or a budget in steps, tokens or FLOPs"


def by_the_clock(config: Training, space: Space) -> str:
    """Name what a campaign counts in seconds (its budget, an objective or a constraint); empty where nothing is."""
    if config.budget.seconds is not None:
        return "budget.seconds"
    counted = [f"the objective {name}" for name in space.objectives if name in TIMED]
    counted += [f"the constraint {limit}" for limit in space.constraints if limit.measure in TIMED]
    return next(iter(counted), "")


def check_alike(devices: Mapping[str, str], timed: str) -> None:
    """Raise a ValueError where nodes (by id) have different ``devices`` and something (``timed``) is in seconds."""
    kinds = sorted(set(devices.values()))
    if timed and len(kinds) > 1:
        raise ValueError(f"{timed} cannot be compared across {' and '.join(kinds)}: {REMEDY}")


@dataclass
class OneDevice:
    """Watches the devices that trials report, those of earlier starts and of nodes that joined later included."""

    timed: str
    first: str = ""

    def see(self, device: str | None) -> str:
        """Note the ``device`` of a trial and return why the campaign must end now; empty where it may go on."""
        if not self.timed or not device:
            return ""
        self.first = self.first or device
        if device == self.first:
            return ""
        return f"{self.timed} cannot be compared across {self.first} and {device}: {REMEDY}"
