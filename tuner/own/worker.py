"""The thin shell that Ray sees of a training by a user's own function; a process for each trial, and gone after it."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from typing import Any

from ray import cloudpickle, tune

from storage import files
from storage.location import Location, Url, location
from storage.waiting import wait_for_stores
from trainable.worker.attempt import STOP_FILE, Attempt
from trainable.worker.stop_signal import FOLDER_LOOK_SECONDS, StopListener
from tuner.own.running import Running, Task

STORE_LOOK_SECONDS = 15.0  # in an object store, where each look is two requests


class OwnTrainable(tune.Trainable):
    """Each ``step`` trains to the next report that is judged. The function and what it is asked come by Ray."""

    running: Running | None = None

    def setup(  # type: ignore[override]  # with_parameters hands in the rest
        self, config: dict[str, Any], train: bytes, maximise: bool, objective: str
    ) -> None:
        wait_for_stores()
        request = json.loads(config["request"])
        folder = location(request["folder"])
        if not files.exists(folder):
            raise ValueError(f"node {socket.gethostname()} does not see the campaign's folder {request['folder']!r}")
        attempt = Attempt(folder, request["key"], request["attempt"])
        ends = Ends(folder, attempt, None if (name := request.get("stop_signal")) is None else StopListener(name))
        self.running = Running(cloudpickle.loads(train), task_of(request, objective, maximise), ends)

    def step(self) -> dict[str, Any]:
        assert self.running is not None, "it was set up"
        return self.running.next()

    def cleanup(self) -> None:
        if self.running is not None:
            self.running.stop()


def task_of(request: dict[str, Any], objective: str, maximise: bool) -> Task:
    """Make a training's task from the request of the search."""
    config = json.loads(request["config"])
    handed_in = {**config["values"], "seed": config["seed"], "steps": config["steps"]}
    return Task(handed_in, config["steps"], request["milestones"], objective, maximise)


class Ends:
    """Says whether a training is to end: the campaign does, or the trial is another attempt's by now, or over.

    Where the folder cannot be read, the training is worth more.
    """

    def __init__(self, folder: Location, attempt: Attempt, listener: StopListener | None = None) -> None:
        self.folder, self.attempt, self.listener = folder, attempt, listener
        self.seconds = STORE_LOOK_SECONDS if isinstance(folder, Url) else 0.0  # between two looks
        self.looked, self.found = time.monotonic(), False

    def __call__(self) -> bool:
        if self.listener is not None:
            self.found = self.found or self.listener.heard()
        is_told = self.listener is not None and self.listener.is_connected
        least = FOLDER_LOOK_SECONDS if is_told else self.seconds
        if not self.found and time.monotonic() - self.looked >= least:
            self.looked = time.monotonic()
            with suppress(OSError):
                self.found = files.exists(self.folder / STOP_FILE) or not self.attempt.in_force()
        return self.found
