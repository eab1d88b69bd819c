"""The real command with a trainable that faults befall: what tests/test_faults.py starts, in driver and workers alike.

Curses are a trial's own and come in every run (it raises, hangs, diverges, runs out of memory). Trouble comes from
outside and must leave no trace in the results (the process is killed, its checkpoint damaged, the disk full). All of it
is drawn from the seed and the trial's key, and written to a log before it happens.
"""

from __future__ import annotations

import errno
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from damaged import damage

from trainable.worker import checkpoint, trial_worker
from trainable.worker.ray_trainable import RayTrainable
from trainable.worker.request import Request
from trainable.worker.trial_worker import TrialWorker

trial_worker.POLL_SECONDS = 0.0  # so that trials of a second have moments to choose from
SEED, FOLDER, TROUBLE = (os.environ.get(f"FAULTS_{name}", "") for name in ("SEED", "FOLDER", "TROUBLE"))
CURSES = {0.07: "hang", 0.14: "exception in a trial", 0.22: "NaN", 0.30: "out of memory"}  # drawn below -> kind
TROUBLES = ("worker killed", "checkpoint cut", "checkpoint with a changed bit", "checkpoint on a full disk")
TIMES = 2  # trouble for one trial: a third killed process would be taken for its own fault
AT_STEP = 3


def curse(key: str) -> str:
    drawn = random.Random(f"{SEED} {key}").random()
    return next((kind for below, kind in CURSES.items() if drawn < below), "")


def note(key: str, kind: str) -> None:
    with (Path(FOLDER) / key).open("a") as file:
        file.write(f"{kind}\n")


class FaultyWorker(TrialWorker):
    """A trial to which something may happen between two of its steps."""

    def begin(self, request: Request) -> None:
        log = Path(FOLDER) / request.key
        times = len(log.read_text().splitlines()) if log.exists() else 0
        self.draw, self.calls = random.Random(f"{SEED} {request.key} {times}"), 0
        trouble = TROUBLE and times < TIMES and self.draw.random() < 0.6
        self.at = self.draw.randrange(2, 12) if trouble else 0
        if kind := curse(request.key):
            (Path(FOLDER) / f"{request.key}.curse").write_text(kind)
        super().begin(replace(request, checkpoint_seconds=-1.0))

    def build(self, request: Request) -> None:
        super().build(request)
        if curse(request.key) == "NaN":
            with torch.no_grad():
                next(self.fidelity.run.network.parameters()).fill_(float("nan"))

    def should_stop(self) -> bool:
        self.calls += 1
        if self.calls == self.at:
            self.trouble(self.draw.choice(TROUBLES))
        if self.calls == AT_STEP:
            self.suffer(curse(self.request.key))
        return super().should_stop()

    def suffer(self, kind: str) -> None:
        key = self.request.key
        if kind == "exception in a trial":
            raise RuntimeError(f"made up for {key}")
        if kind == "out of memory":
            raise torch.OutOfMemoryError(f"CUDA out of memory, made up for {key}")
        while kind == "hang":
            time.sleep(1)

    def trouble(self, kind: str) -> None:
        note(self.request.key, kind)
        file = self.attempt.folder / self.attempt.names[0] if self.attempt.names else None
        if kind == "checkpoint on a full disk":
            full_disk_once()
            return
        if file is not None and kind != "worker killed":
            damage(file, kind, self.draw)
        os.kill(os.getpid(), signal.SIGKILL)


def full_disk_once() -> None:
    real = checkpoint.save_file

    def refuse(*args: Any, **options: Any) -> None:
        checkpoint.save_file = real
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    checkpoint.save_file = refuse


class FaultyTrainable(RayTrainable):
    """What Ray sees of it."""

    new_worker = staticmethod(FaultyWorker)


def main() -> int:
    """The command line of tuner.run."""
    from tuner import run
    from tuner.cluster import ray_tune

    ray_tune.RayTrainable = FaultyTrainable  # type: ignore[misc]
    return run.main(sys.argv[1:])
