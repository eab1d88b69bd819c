"""Measurement of trainings side by side on one device: so many processes, each a short run of a config.

``python -m tuner.plan.side_by_side`` is one of them. It speaks by lines with the one that started it: it reads what to
train, says that it has warmed up, trains for some seconds when it is told to, and writes what it did. It evaluates once
too, since a trial needs the memory of both. Tokens are made up, so no data are read. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainable.component_json import decode, encode
from trainable.config import TrainConfig
from trainable.own import modules as own_modules
from trainable.own.source import Source
from tuner.cluster import mps
from tuner.cluster.sharing import SharedSpeed
from tuner.plan.processes import started

WARM_UP_STEPS = 3
SHORT_RUN_SECONDS = 6.0  # of training that is timed
BUILD_SECONDS = 180.0  # for all of them to build and warm up
LATE_SECONDS = 60.0  # for a step that has begun, and the evaluation
STEPS_AHEAD = 10  # that the host may queue before it waits for the device
READY, GO = b"ready\n", b"go\n"


@dataclass(frozen=True)
class ShortRun:
    """A training that is measured: the config, and how it runs."""

    config: TrainConfig
    checkpoint_activations: bool = False
    on_gpu: bool = True  # false: on the CPU, whatever is there
    seconds: float = SHORT_RUN_SECONDS

    def to_json(self) -> dict[str, Any]:
        """Convert it to what a process reads."""
        return {
            "config": encode(self.config),
            "sources": [source.to_json() for source in own_modules.loaded()],
            "checkpoint_activations": self.checkpoint_activations,
            "on_gpu": self.on_gpu,
            "seconds": self.seconds,
        }

    @classmethod
    def of_json(cls, asked: Mapping[str, Any]) -> ShortRun:
        """The one that a process reads, whose sources it loads."""
        own_modules.load([Source.of_json(source) for source in asked["sources"]])
        config = decode(asked["config"])
        assert isinstance(config, TrainConfig)
        return cls(config, asked["checkpoint_activations"], asked["on_gpu"], asked["seconds"])


def speed_of(task: ShortRun, together: int) -> SharedSpeed | None:
    """Train so many at a time and add up their steps a second; None where one of them does not train.

    On a GPU they share it by MPS where the campaign's trials will: where it is installed and may be started.
    """
    with (
        _shared(task.on_gpu and together > 1) as variables,
        started("tuner.plan.side_by_side", together, variables) as processes,
    ):
        for process in processes:
            _tell(process, json.dumps(task.to_json()).encode() + b"\n")
        until = time.monotonic() + BUILD_SECONDS
        if not all(_line(process, until) == READY for process in processes):
            return None
        for process in processes:
            _tell(process, GO)
        until = time.monotonic() + task.seconds + LATE_SECONDS
        said = [_line(process, until) for process in processes]
    if not all(said):
        return None
    found = [json.loads(line) for line in said]
    reserved = [each["reserved_bytes"] for each in found if each["reserved_bytes"] is not None]
    return SharedSpeed(together, sum(each["steps"] / each["seconds"] for each in found), max(reserved, default=None))


@contextmanager
def _shared(wanted: bool) -> Iterator[Mapping[str, str]]:
    """Run MPS within the block where it is ``wanted`` and can be; gives the variables by which processes find it."""
    with ExitStack() as stack:
        variables: Mapping[str, str] = {}
        if wanted and not mps.runs_already():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tuner-mps-")))
            with suppress(OSError):  # in turns, as the trials then share it
                variables = stack.enter_context(mps.running(folder / "mps"))
        yield variables


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    with suppress(OSError):  # it has ended, which its silence says
        process.stdin.write(line)
        process.stdin.flush()


def _line(process: subprocess.Popen[bytes], until: float) -> bytes:
    """The next line of a process; empty where none comes in time."""
    assert process.stdout is not None
    there, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
    return process.stdout.readline() if there else b""


# --- in the process ---------------------------------------------------------------------------------------------------


def trained_briefly(task: ShortRun) -> Iterator[dict[str, Any]]:
    """Warm up, which the first item says; then train for the time and say what that came to."""
    import torch

    from trainable import train
    from trainable.compiled_objective import build_objective
    from trainable.objective import next_step
    from trainable.report import validation
    from trainable.run import Run
    from trainable.runtime import Runtime
    from tuner.audit.short_runs import made_up_tokens
    from tuner.plan.bench import vocab_size

    torch.set_num_threads(1)
    evaluation = replace(task.config.evaluation.plain, tokens=task.config.evaluation.batch_tokens, mainrun_rows=None)
    config = replace(task.config, evaluation=evaluation, target=None, artifact=None)
    precision, small = config.number_format, task.checkpoint_activations
    runtime = Runtime.detect(precision=precision, checkpoint_activations=small)
    runtime = runtime if task.on_gpu else Runtime("cpu", precision, checkpoint_activations=small)
    enough = (WARM_UP_STEPS + 8) * config.data.batch_tokens, config.evaluation.batch_tokens + 1
    run = Run.start(config, made_up_tokens(vocab_size(config), *enough), runtime)
    objective = build_objective(run)

    def step() -> None:
        found, run.position = next_step(run, objective, 0.0)
        run.account(train.take(run, found))

    for _ in range(WARM_UP_STEPS):
        step()
    runtime.synchronize()
    yield {}
    steps, began = 0, time.perf_counter()
    while time.perf_counter() - began < task.seconds:
        step()
        steps += 1
        if steps % STEPS_AHEAD == 0:
            runtime.synchronize()
    runtime.synchronize()
    seconds = time.perf_counter() - began
    validation(run)
    yield {"steps": steps, "seconds": seconds, "reserved_bytes": runtime.peak_reserved_bytes()}


def main() -> None:
    """Take part in one measurement."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what code of the user's prints is no answer
    done = trained_briefly(ShortRun.of_json(json.loads(sys.stdin.buffer.readline())))
    next(done)
    os.write(answers, READY)
    if sys.stdin.buffer.readline() == GO:
        os.write(answers, json.dumps(next(done)).encode() + b"\n")


if __name__ == "__main__":
    main()
