"""trackio: a run for each trial, grouped by the campaign, in a database on this disk; ``TRACKIO_DIR`` says where.

trackio tells runs of a project apart by their names, so that these begin with the campaign's. It keeps a config and
numbers by step, and no summary: a row's numbers are points of the last step, its texts join the config.
"""

from __future__ import annotations

import contextvars
from collections.abc import Sequence
from typing import Any, ClassVar

from storage.location import Location
from tuner.trackers.tracker import TrackedEnd, TrackedPoint, TrackedRun

USUAL_PROJECT = "tuner"
_ID, _MARK = "tuner.id", "tuner.mark"


class TrackioTracker:
    """Writes points by step and the config, to which the row is added at the end."""

    package: ClassVar[str] = "trackio"
    takes: ClassVar[str] = "PROJECT"
    usual: ClassVar[str] = f"project {USUAL_PROJECT}"

    def __init__(self, place: str | None, campaign: str, folder: Location, campaign_id: str) -> None:
        self.project, self.campaign, self.campaign_id = place or USUAL_PROJECT, campaign, campaign_id
        self.runs: dict[str, Any] = {}
        self.marks: dict[str, str] = {}  # id -> mark, of runs that earlier starts have ended

    def begin(self) -> None:
        """Load the package, and find the runs of earlier starts."""
        import trackio

        self.module = trackio
        try:
            known = list(trackio.Api().runs(self.project))
        except ValueError:  # there is no such project yet
            return
        for run in known:
            config = run.config or {}
            if _ID in config:
                self.marks[str(config[_ID])] = str(config.get(_MARK, ""))

    def mark(self, run: TrackedRun) -> str:
        return self.marks.get(run.id, "")

    def open(self, run: TrackedRun) -> int:
        if (left := self.runs.pop(run.id, None)) is not None:  # after a failure
            left.finish()
        self.runs[run.id] = self._begun(run, {})
        return int(self.runs[run.id]._next_step) - 1  # trackio has no other way to ask

    def log(self, run: TrackedRun, points: Sequence[TrackedPoint]) -> None:
        for point in points:
            self.runs[run.id].log(dict(point.values), step=point.step)

    def end(self, run: TrackedRun, end: TrackedEnd) -> None:
        """Write the row: a config is written with the first point of a run that was begun or resumed."""
        self.runs.pop(run.id).finish()
        texts = {f"row.{name}": value for name, value in end.row.items() if name not in end.numbers}
        again = self._begun(run, {**texts, "tags": ", ".join(run.tags), _MARK: end.mark})
        again.log({f"row/{name}": value for name, value in end.numbers.items()}, step=max(0, again._next_step - 1))
        again.finish()
        self.marks[run.id] = end.mark

    def close(self) -> None:
        while self.runs:
            self.runs.popitem()[1].finish()

    def _begun(self, run: TrackedRun, more: dict[str, Any]) -> Any:
        """Begin or resume a run in a context of its own: in one context trackio ends a run where it begins another."""
        name = run.name if run.is_campaign else f"{self.campaign}/{run.name}"
        config = {**run.config, "tags": ", ".join(run.tags), _ID: run.id, **more}
        init = self.module.init
        return contextvars.Context().run(
            init,
            project=self.project,
            name=name,
            group=self.campaign,
            config=config,
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
