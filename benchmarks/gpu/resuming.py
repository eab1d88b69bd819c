"""The section ``resuming``: a run straight, straight again, and through a checkpoint."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.small import FAMILIES, shrunk, start, tiny
from benchmarks.gpu.steps import apart, weights
from trainable.component import component
from trainable.config import TrainConfig
from trainable.models.gpt2 import GPT2
from trainable.optimizers.adamw import AdamW
from trainable.optimizers.muon_adamw import MuonAdamW
from trainable.report import Report
from trainable.run import Run
from trainable.train import train

State = dict[str, Any]
STEPS, QUICK_STEPS = 30, 6


def resuming(context: Context) -> Figures:
    """Measure the distance of a repetition, and of a run resumed half-way, from a straight run."""
    steps = QUICK_STEPS if context.quick else STEPS
    hooks = tuple(component(name, "hook").example() for name in ("WeightAverage", "GradientClip"))
    configs = {
        "gpt": tiny(steps),
        "gpt with an average and a clip": tiny(steps, hooks=hooks),
        "gpt2 with dropout": tiny(steps, model=shrunk(GPT2(dropout=0.1)), optimizer=AdamW(lr=1e-3)),
        "nanochat": tiny(steps, model=FAMILIES["nanochat"], optimizer=MuonAdamW()),
    }
    kept = checkpoints(context.scratch)
    return {name: attempt(_ends, context, config, steps // 2, kept) for name, config in configs.items()}


def _ends(context: Context, config: TrainConfig, half: int, kept: Callable[[Run], State]) -> Figures:
    states: list[State] = []
    straight, last = _to_end(start(config, context.bf16), half, lambda run: states.append(kept(run)))
    again, its = _to_end(start(config, context.bf16), half, kept)
    resumed = start(config, context.bf16)
    resumed.load_state_dict(states[0])
    resumed, theirs = _to_end(resumed)
    return {
        "val_loss": last.val_loss,
        "again": _apart(again, its, straight, last),
        "resumed": _apart(resumed, theirs, straight, last),
    }


def _to_end(
    run: Run, half: int | None = None, at_half: Callable[[Run], object] = lambda run: None
) -> tuple[Run, Report]:
    """Train until the end, stopping at a step to look at the run."""
    last = None
    for last in train(run, milestones=() if half is None else (half,)):
        if last.status == "running":
            at_half(run)
    assert last is not None
    return run, last


def _apart(run: Run, report: Report, straight: Run, last: Report) -> Figures:
    assert report.val_loss is not None and last.val_loss is not None
    return {**apart(weights(run), weights(straight)), "val_loss_off": abs(report.val_loss - last.val_loss)}


def checkpoints(folder: Path) -> Callable[[Run], State]:
    """A function that takes a run's state through a file, or a copy where the packages that write it are not there."""
    try:
        from trainable.worker import checkpoint
    except ImportError:
        return lambda run: copy.deepcopy(run.state_dict())

    def through_a_file(run: Run) -> State:
        checkpoint.save(folder, "checkpoint", run.state_dict(), "key")
        return checkpoint.load(folder / "checkpoint", "key")

    return through_a_file
