"""MLflow: a run for each trial below one for the campaign, in an experiment; which server is MLflow's own to say.

``MLFLOW_TRACKING_URI`` names it, as everywhere with MLflow; without it that is a file in the current folder. A resume
finds the runs by a tag, and asks for the last step that each of them has.
"""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from storage.location import Location
from terminal.escape import elided
from tuner.trackers.tracker import NOTHING_YET, TrackedEnd, TrackedPoint, TrackedRun

EXPERIMENT = "tuner"
LONGEST_TAG = 500  # characters of a parameter or a tag, which every kind of store takes
MOST_NUMBERS, MOST_TEXTS = 1000, 100  # in one request
FOREIGN = re.compile(r"[^\w\-. /]", re.ASCII)  # characters that no name in MLflow may have
_ID, _MARK, _OF_CAMPAIGN = "tuner.id", "tuner.mark", "tuner.campaign_id"
T = TypeVar("T")


class MlflowTracker:
    """Writes metrics by step, the config as parameters, and the row as metrics and tags."""

    package: ClassVar[str] = "mlflow"
    takes: ClassVar[str] = "EXPERIMENT"
    usual: ClassVar[str] = f"experiment {EXPERIMENT}"

    def __init__(self, place: str | None, campaign: str, folder: Location, campaign_id: str) -> None:
        self.experiment, self.campaign, self.campaign_id = place or EXPERIMENT, campaign, campaign_id
        self.runs: dict[str, Any] = {}  # id -> MLflow's run, of earlier starts too
        self.going: dict[str, str] = {}  # id -> MLflow's id, of those that are open
        self.parent = ""

    def begin(self) -> None:
        """Reach the server, make the experiment, and find the runs of earlier starts."""
        import mlflow

        self.module = mlflow
        self.client = mlflow.MlflowClient()
        found = self.client.get_experiment_by_name(self.experiment)
        number = self.client.create_experiment(self.experiment) if found is None else found.experiment_id
        self.number, token = number, None
        while True:
            asked = f"tags.`{_OF_CAMPAIGN}` = '{self.campaign_id}'"
            page = self.client.search_runs([number], asked, page_token=token)
            self.runs |= {run.data.tags[_ID]: run for run in page if _ID in run.data.tags}
            if not (token := page.token):
                return

    def mark(self, run: TrackedRun) -> str:
        return str(self.runs[run.id].data.tags.get(_MARK, "")) if run.id in self.runs else ""

    def open(self, run: TrackedRun) -> int:
        """Create the run, or find it with the last step that any of its metrics has."""
        found = self.runs.get(run.id)
        if found is None:
            tags = {_ID: run.id, _OF_CAMPAIGN: self.campaign_id, "campaign": self.campaign, **_tags(run)}
            if not run.is_campaign and self.parent:
                tags["mlflow.parentRunId"] = self.parent
            began = int(1000 * (run.began or time.time()))
            found = self.client.create_run(self.number, began, tags, run.name)
            self.runs[run.id] = found
        else:
            self.client.update_run(found.info.run_id, status="RUNNING")
        number = self.going[run.id] = found.info.run_id
        if run.is_campaign:
            self.parent = number
        if not found.data.params:  # they cannot be changed later: data may have been moved since
            params = [self.module.entities.Param(_name(n), elided(str(v), LONGEST_TAG)) for n, v in run.config.items()]
            for part in _parts(params, MOST_TEXTS):
                self.client.log_batch(number, params=part)
        histories = [self.client.get_metric_history(number, name) for name in found.data.metrics]
        return max((int(metric.step) for history in histories for metric in history), default=NOTHING_YET)

    def log(self, run: TrackedRun, points: Sequence[TrackedPoint]) -> None:
        """Send whole steps together, so that what a kill leaves ends with a whole one."""
        waiting: list[Any] = []
        for point in points:
            numbers = self._metrics(point.values, point.step, point.at)
            if waiting and len(waiting) + len(numbers) > MOST_NUMBERS:
                self.client.log_batch(self.going[run.id], metrics=waiting)
                waiting = []
            waiting += numbers
        for part in _parts(waiting, MOST_NUMBERS):
            self.client.log_batch(self.going[run.id], metrics=part)

    def end(self, run: TrackedRun, end: TrackedEnd) -> None:
        """Tag the run with its status; once it is whole, its row's numbers are metrics, and a mark says so last."""
        number, step = self.going[run.id], int(end.numbers.get("steps", 0))
        texts = {name: str(v) for name, v in end.row.items() if name not in end.numbers} | _tags(run)
        tags = [self.module.entities.RunTag(_name(n), elided(v, LONGEST_TAG)) for n, v in texts.items()]
        for part in _parts(tags, MOST_TEXTS):
            self.client.log_batch(number, tags=part)
        if end.mark:
            self.client.log_batch(number, metrics=self._metrics(end.numbers, step, end.at))
            self.client.set_tag(number, _MARK, end.mark)
        status = "FAILED" if end.failed else "FINISHED" if end.mark else "KILLED"
        self.client.set_terminated(number, status, int(1000 * (end.at or time.time())))
        del self.going[run.id]
        self.runs[run.id] = self.client.get_run(number)

    def close(self) -> None:
        while self.going:
            self.client.set_terminated(self.going.popitem()[1], "KILLED")

    def _metrics(self, numbers: Any, step: int, at: float) -> list[Any]:
        stamp = int(1000 * at)
        return [self.module.entities.Metric(_name(name), value, stamp, step) for name, value in numbers.items()]


def _tags(run: TrackedRun) -> dict[str, str]:
    return {"stage": run.stage, "tags": ", ".join(run.tags)} | {each: "true" for each in run.tags if each != run.stage}


def _name(name: str) -> str:
    """The name with the codes of characters that MLflow does not take; a slash stays where a path may have one."""
    found = FOREIGN.sub(lambda one: f"_{ord(one[0]):x}_", name)
    return found if posixpath.normpath(found) == found and found[0] != "/" else found.replace("/", "_2f_")


def _parts(members: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(members), most):
        yield members[start : start + most]
