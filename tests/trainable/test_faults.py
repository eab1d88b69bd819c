"""Faults at random moments of real trainings: the process dies, checkpoints are cut, changed or not written at all.

After each fault the trial is taken up by a new process, as Ray would; its end must be that of an untroubled one, bit
for bit.
"""

from __future__ import annotations

import errno
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage import inside
from tests.newest_checkpoint import newest
from trainable.component_json import encode
from trainable.worker import attempt, checkpoint, trial_worker
from trainable.worker.request import Request
from trainable.worker.trial_worker import TrialWorker

pytestmark = pytest.mark.faults
KINDS = ("checkpoint on a full disk", "worker killed at a checkpoint", "checkpoint half written")
NUMBERS = ("status", "step", "tokens", "train_loss", "val_loss", "val_bpb", "milestone")


class Killed(BaseException):
    """kill -9: nothing of the process runs on."""


@pytest.fixture
def training(monkeypatch, dataset, tiny, tmp_path) -> Iterator[Request]:
    """A trial of a dozen steps that saves itself before each of them."""
    monkeypatch.setattr(trial_worker, "prepare", lambda config, train_tokens_needed=None: dataset)
    monkeypatch.setattr(trial_worker, "POLL_SECONDS", 0.0)
    config = replace(tiny, budget=replace(tiny.budget, steps=12))
    yield Request(
        key="k",
        config=json.dumps(encode(config)),
        data_fingerprint=dataset.fingerprint,
        folder=str(tmp_path),
        milestones=[4.0, 8.0],
        checkpoint_seconds=-1.0,
    )


def train(request: Request, received: dict[float, dict[str, Any]]) -> None:
    """One process's part of the trial; the driver has each of its reports (by milestone) before it is told to go on."""
    actor = TrialWorker.__new__(TrialWorker)
    try:
        actor.setup({"key": request.key, "request": request.to_json()})
        report: dict[str, Any] = {"done": False}
        while not report["done"]:
            report = actor.step()
            received[report["milestone"]] = report
    finally:
        actor.cleanup()


class Faults:
    """What happens as a checkpoint is written: the process dies before, after or within, or the disk is full."""

    def __init__(self, draw: random.Random, count: Any) -> None:
        self.draw, self.count, self.left = draw, count, 8
        self.save, self.replace = checkpoint.save_file, inside.os.replace

    def note(self, kind: str) -> None:
        self.count.injected[kind] += 1
        self.left -= 1

    def save_file(self, tensors: Any, file: Path, metadata: dict[str, str]) -> None:
        if self.left <= 0 or self.draw.random() > 0.35:
            self.save(tensors, file, metadata=metadata)
            return
        kind = self.draw.choice(
            ["checkpoint on a full disk", "worker killed at a checkpoint", "checkpoint half written"]
        )
        self.note(kind)
        if kind == "checkpoint on a full disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if kind == "checkpoint half written":
            self.save(tensors, file, metadata=metadata)
            file.write_bytes(file.read_bytes()[: self.draw.randrange(200)])
        raise Killed

    def rename(self, source: Path, target: Path) -> None:
        self.replace(source, target)
        if target.name != attempt.SIGN and self.left > 0 and self.draw.random() < 0.05:
            self.note("worker killed after a rename")
            raise Killed


@pytest.mark.parametrize("seed", range(20))
def test_a_trial_ends_as_without_faults(seed, training, tmp_path, fault_count, damage, monkeypatch) -> None:
    calm = tmp_path / "calm"
    calm.mkdir()
    expected: dict[float, dict[str, Any]] = {}
    attempt.begin(calm, training.key, 1)
    train(replace(training, folder=str(calm)), expected)
    draw = random.Random(seed)
    faults = Faults(draw, fault_count)
    monkeypatch.setattr(checkpoint, "save_file", faults.save_file)
    monkeypatch.setattr(inside.os, "replace", faults.rename)
    found: dict[float, dict[str, Any]] = {}
    ended = False
    while not ended:
        begun = attempt.begin(Path(training.folder), training.key, 1)
        if newest(begun) is not None and faults.left > 0 and draw.random() < 0.5:
            kind = draw.choice(["checkpoint cut", "checkpoint with a changed bit"])
            faults.note(kind)
            damage(newest(begun), kind, draw)
        with suppress(Killed):
            train(replace(training, attempt=begun.number, checkpoints=begun.names), found)
            ended = True
    numbers = [
        {at: {name: report[name] for name in NUMBERS} for at, report in reports.items()}
        for reports in (expected, found)
    ]
    fault_count.differing += numbers[0] != numbers[1]
    assert numbers[0] == numbers[1]
