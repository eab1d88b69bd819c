"""The trackers by name, and what ``--log NAME`` or ``--log NAME:PLACE`` asks for; no tracker's package is loaded."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terminal.escape import elided
from terminal.nearest import nearest
from tuner.trackers.mlflow import MlflowTracker
from tuner.trackers.tensorboard import TensorboardTracker
from tuner.trackers.tracker import Tracker
from tuner.trackers.trackio import TrackioTracker
from tuner.trackers.wandb import WandbTracker

TRACKERS: Mapping[str, type[Tracker]] = {
    kind.package: kind for kind in (MlflowTracker, TensorboardTracker, TrackioTracker, WandbTracker)
}
LONGEST_PLACE = 200  # characters


@dataclass(frozen=True)
class LogTo:
    """A tracker that is asked for, and the project, experiment or folder in it."""

    name: str
    place: str | None = None

    @property
    def about(self) -> str:
        """Its name and its place, for people."""
        kind = TRACKERS[self.name]
        return f"{self.name} ({kind.usual if self.place is None else f'{kind.takes.lower()} {self.place}'})"


def log_to(text: str) -> LogTo:
    """Read NAME or NAME:PLACE; a ValueError for an unknown name, or no place after the colon."""
    name, colon, place = text.partition(":")
    if name not in TRACKERS:
        raise ValueError(f"{elided(name)!r} is no tracker: {nearest(name, TRACKERS, 'names')}")
    takes = TRACKERS[name].takes
    if colon and not (place.strip() and place.isprintable() and len(place) <= LONGEST_PLACE):
        raise ValueError(
            f"{elided(text)!r} names no {takes.lower()}: {name}:{takes}, with 1 to {LONGEST_PLACE} characters that can "
            "be printed"
        )
    return LogTo(name, place if colon else None)


def check_installed(asked: Sequence[LogTo]) -> None:
    """Raise a ValueError for the first tracker whose package is not here."""
    for each in asked:
        if not is_installed(TRACKERS[each.name].package):
            raise ValueError(
                f"--log {each.name} needs a package that is not installed: pip install '.[{each.name}]' in the checkout"
            )


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported. A folder of its name, as wandb makes one where it runs, is none."""
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    return found is not None and found.origin is not None


def check_once(asked: Sequence[LogTo]) -> None:
    """Raise a ValueError for a tracker that is asked for twice: its runs would be two and the same."""
    names = [each.name for each in asked]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--log {name} is given twice: once is enough")
