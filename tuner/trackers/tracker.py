"""The protocol of an experiment tracker: four verbs, called in a process of the tracker's own.

The rows of a campaign are the truth, and a tracker is a copy that may fail. So whatever is sent can be sent again: a
run is known by an id that a resume finds again, a tracker says up to which step it has a run's points, and a run that
has ended carries a mark, by which it is left alone later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from storage.location import Location

Plain = str | int | float | bool
NOTHING_YET = -1  # the last step of a run that has no points


@dataclass(frozen=True)
class TrackedRun:
    """A trial as a tracker knows it, or the campaign itself, which is a run too: it holds the verdict."""

    id: str  # of letters and digits, the same after a resume
    name: str  # for people: "trial 7", "confirm 31: trial 7 on seed 1340"
    place: str  # for a folder's name: "0007", "confirm-0031"
    stage: str  # search, confirm, ablate; "campaign" for the campaign itself
    config: Mapping[str, Plain]  # dotted path -> value, the whole config
    tags: tuple[str, ...]  # stage, and "base" or "reused"; at the end also the status
    began: float  # seconds since the epoch

    @property
    def is_campaign(self) -> bool:
        return self.stage == THE_CAMPAIGN


THE_CAMPAIGN = "campaign"


@dataclass(frozen=True)
class TrackedPoint:
    """Numbers of one step: those of the training curve (``train/...``) and of an evaluation (``eval/...``)."""

    step: int
    at: float  # seconds since the epoch: when the report was made that it came with
    values: Mapping[str, float]


@dataclass(frozen=True)
class TrackedEnd:
    """End of a run: its status, its row, and a mark that says it is whole."""

    status: str  # a status of results/store/statuses.py; "completed" for a campaign
    row: Mapping[str, Plain]  # the columns of ``trials`` that are not null; times as ISO 8601
    mark: str  # empty for a run that a resume goes on with
    at: float  # seconds since the epoch

    @property
    def failed(self) -> bool:
        return self.status in ("crashed", "diverged")

    @property
    def numbers(self) -> dict[str, float]:
        """The columns that are numbers."""
        kept = {n: v for n, v in self.row.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        return {name: float(value) for name, value in kept.items()}


class Tracker(Protocol):
    """One tracker in one start of a campaign. Every verb may raise; the search never hears of it."""

    package: ClassVar[str]  # that it imports, and the extra of the same name that brings it
    takes: ClassVar[str]  # the word for what may follow its name: PROJECT, EXPERIMENT, FOLDER
    usual: ClassVar[str]  # what that is where nothing follows, for people

    def __init__(self, place: str | None, campaign: str, folder: Location, campaign_id: str) -> None:
        """``campaign`` is the name that groups its runs, in ``folder``. Nothing is opened yet."""

    def begin(self) -> None:
        """Import the package and reach the service."""

    def mark(self, run: TrackedRun) -> str:
        """Find the mark under which the run was ended, also in an earlier start; empty where it was not."""

    def open(self, run: TrackedRun) -> int:
        """Begin a run or go on with it; returns the last step of which it has points (NOTHING_YET: it has none)."""

    def log(self, run: TrackedRun, points: Sequence[TrackedPoint]) -> None:
        """Add points, by rising step, all after those that it has."""

    def end(self, run: TrackedRun, end: TrackedEnd) -> None:
        """Write the row as the run's summary, and close it. ``run.tags`` name the status by now."""

    def close(self) -> None:
        """Write out what waits, and leave open runs to a resume."""
