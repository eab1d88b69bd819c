"""TensorBoard: a folder of event files for each trial, below the campaign's own folder or one that is given.

A trial that a resume goes on with is written anew from our rows: what a kill has cut off, or a lost attempt has left,
is gone with the old file, and nothing is there twice. The package is used without TensorFlow and without torch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from storage.location import Location
from tuner.campaign.tensorboard_folder import TENSORBOARD
from tuner.trackers.tracker import NOTHING_YET, TrackedEnd, TrackedPoint, TrackedRun

OURS = "tuner.json"  # in a trial's folder: whose it is, and the mark once it is whole
EVENTS = "events.out.tfevents.*"


class TensorboardTracker:
    """Writes scalars, the config for the HPARAMS tab, and the row as text."""

    package: ClassVar[str] = "tensorboard"
    takes: ClassVar[str] = "FOLDER"
    usual: ClassVar[str] = f"{TENSORBOARD}/ in the campaign's folder"

    def __init__(self, place: str | None, campaign: str, folder: Location, campaign_id: str) -> None:
        if place is None and not isinstance(folder, Path):
            raise ValueError(
                f"--log tensorboard writes to a disk, and {folder} is none: say where, as --log tensorboard:FOLDER"
            )
        self.root = Path(str(folder)) / TENSORBOARD if place is None else Path(place) / campaign
        self.writers: dict[str, Any] = {}

    def begin(self) -> None:
        """Make the folder; a ValueError where the package is not there."""
        from tensorboard.summary.writer import event_file_writer

        self.module = event_file_writer
        self.root.mkdir(parents=True, exist_ok=True)

    def mark(self, run: TrackedRun) -> str:
        return str(self._kept(run).get("mark", ""))

    def open(self, run: TrackedRun) -> int:
        """Begin the run's file, in place of what an earlier start left."""
        from tensorboard.compat.proto import event_pb2
        from tensorboard.plugins.hparams import summary_v2

        if (left := self.writers.pop(run.id, None)) is not None:  # after a failure
            with suppress(Exception):
                left.close()
        folder = self.root / run.place
        folder.mkdir(parents=True, exist_ok=True)
        before = sorted(folder.glob(EVENTS))
        if before and self._kept(run).get("id") != run.id:
            raise ValueError(f"{folder} holds event files of another run: give another folder")
        for file in before:
            file.unlink()
        self._keep(run, "")
        writer = self.module.EventFileWriter(str(folder))
        self.writers[run.id] = writer
        # A TensorBoard that is watching drops what it has read of the old file.
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        writer.add_event(event_pb2.Event(wall_time=run.began or time.time(), step=0, session_log=start))
        self._add(run, summary_v2.hparams_pb(dict(run.config), run.id, run.began), 0, run.began)
        writer.flush()
        return NOTHING_YET

    def log(self, run: TrackedRun, points: Sequence[TrackedPoint]) -> None:
        for point in points:
            self._add(run, _scalars(point.values), point.step, point.at)
        self.writers[run.id].flush()

    def end(self, run: TrackedRun, end: TrackedEnd) -> None:
        from tensorboard.plugins.text import summary_v2

        said = {"name": run.name, "tags": ", ".join(run.tags), **end.row}
        # Indented, it is code to Markdown: nothing in it is a link or a picture.
        lines = [f"    {name}: {' '.join(str(value).split())}" for name, value in said.items()]
        step = int(end.numbers.get("steps", 0))
        self._add(run, summary_v2.text_pb("row", "\n".join(lines)), step, end.at)
        if "value" in end.numbers:
            self._add(run, _scalars({"row/value": end.numbers["value"]}), step, end.at)
        self._add(run, _session_end(end), step, end.at)
        self.writers.pop(run.id).close()
        self._keep(run, end.mark)

    def close(self) -> None:
        while self.writers:
            self.writers.popitem()[1].close()

    def _add(self, run: TrackedRun, summary: Any, step: int, at: float) -> None:
        from tensorboard.compat.proto import event_pb2

        event = event_pb2.Event(wall_time=at or time.time(), step=step, summary=summary)
        self.writers[run.id].add_event(event)

    def _kept(self, run: TrackedRun) -> dict[str, Any]:
        try:
            found = json.loads((self.root / run.place / OURS).read_text())
        except (OSError, ValueError):  # not there, or cut off by a kill
            return {}
        return found if isinstance(found, dict) and found.get("id") == run.id else {}

    def _keep(self, run: TrackedRun, mark: str) -> None:
        (self.root / run.place / OURS).write_text(json.dumps({"id": run.id, "mark": mark}))


def _scalars(values: Any) -> Any:
    from tensorboard.compat.proto import summary_pb2

    each = [summary_pb2.Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
    return summary_pb2.Summary(value=each)


def _session_end(end: TrackedEnd) -> Any:
    """The status that the HPARAMS tab shows."""
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_FAILURE if end.failed else api_pb2.STATUS_SUCCESS if end.mark else api_pb2.STATUS_UNKNOWN
    info = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=end.at or time.time())
    about = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=info))
    summary = summary_pb2.Summary()
    summary.value.add(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)
    return summary
