"""Weights & Biases: a run for each trial, grouped by the campaign. Its own settings (``WANDB_MODE``) say where.

A run's id is made of campaign and trial, so that a resume goes on with it. A server says up to which step it has a
run; offline, a note beside the run's file on this disk does. The files of an interrupted run hold a part each, which
``wandb sync`` sends one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from storage.location import Location
from tuner.trackers.tracker import NOTHING_YET, TrackedEnd, TrackedPoint, TrackedRun

USUAL_PROJECT = "tuner"
NOTE = "tuner.json"  # beside a run's file: the last step that was sent, and the mark once the run is whole


class WandbTracker:
    """Writes history by step, config, tags and summary; no code, no console, nothing of the machine."""

    package: ClassVar[str] = "wandb"
    takes: ClassVar[str] = "PROJECT"
    usual: ClassVar[str] = f"project {USUAL_PROJECT}"

    def __init__(self, place: str | None, campaign: str, folder: Location, campaign_id: str) -> None:
        entity, _, project = (place or "").rpartition("/")
        self.entity, self.project, self.campaign = entity or None, project or None, campaign
        self.runs: dict[str, Any] = {}

    def begin(self) -> None:
        """Load the package with settings that send no more than the rows."""
        import wandb

        self.module = wandb
        self.settings = wandb.Settings(
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            save_code=False,
            x_disable_stats=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        )
        singleton = wandb.setup().settings
        self.folder = Path(singleton.wandb_dir)
        self.project = self.project or singleton.project or USUAL_PROJECT

    def mark(self, run: TrackedRun) -> str:
        return next((found for note in self._notes(run) if (found := str(note.get("mark", "")))), "")

    def open(self, run: TrackedRun) -> int:
        """Begin or resume the run; returns the last step that the server, or a file on this disk, has of it."""
        if (left := self.runs.pop(run.id, None)) is not None:  # after a failure
            left.finish(exit_code=1)
        before = [int(note.get("step", NOTHING_YET)) for note in self._notes(run)]
        found = self.runs[run.id] = self.module.init(
            entity=self.entity,
            project=self.project,
            id=run.id,
            name=run.name,
            group=self.campaign,
            job_type=run.stage,
            tags=list(run.tags),
            config=dict(run.config),
            allow_val_change=True,
            resume="allow",
            reinit="create_new",
            settings=self.settings,
        )
        last = max([NOTHING_YET, found.starting_step - 1 if found.resumed else NOTHING_YET, *before])
        self._write(run, last)
        return last

    def log(self, run: TrackedRun, points: Sequence[TrackedPoint]) -> None:
        for point in points:
            self.runs[run.id].log(dict(point.values), step=point.step, commit=True)
        if points:
            self._write(run, points[-1].step)

    def end(self, run: TrackedRun, end: TrackedEnd) -> None:
        found = self.runs[run.id]
        found.tags = run.tags
        found.summary.update(dict(end.row))
        found.finish(exit_code=0 if end.mark and not end.failed else 1)
        self._write(run, None, end.mark)
        del self.runs[run.id]

    def close(self) -> None:
        while self.runs:
            self.runs.popitem()[1].finish(exit_code=1)

    def _notes(self, run: TrackedRun) -> list[dict[str, Any]]:
        """Read the notes beside the run's files of this and earlier starts."""
        found = []
        for file in self.folder.glob(f"*run-*-{run.id}/{NOTE}"):
            try:
                note = json.loads(file.read_text())
            except (OSError, ValueError):  # cut off by a kill
                continue
            found += [note] if isinstance(note, dict) else []
        return found

    def _write(self, run: TrackedRun, step: int | None, mark: str = "") -> None:
        file = Path(self.runs[run.id].settings.sync_dir) / NOTE
        if step is None:
            step = json.loads(file.read_text())["step"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"step": step, "mark": mark}))
