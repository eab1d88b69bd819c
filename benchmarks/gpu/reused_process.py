"""The section ``reused_actor``: random trials one after another in one process, as an actor that is reused has them."""

from __future__ import annotations

import gc
import math
import random
import time
from typing import Any

import torch

import search_spaces
from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures
from benchmarks.gpu.golf import golf, golf_data
from benchmarks.gpu.small import start
from search_spaces.domains import Choice, Domain, Integer
from search_spaces.space import Space
from trainable.component_paths import with_values
from trainable.config import Budget, TrainConfig
from trainable.runtime import Runtime
from trainable.train import train

TRIALS, FEW_TRIALS, STEPS = 4, 3, 12


def reused_actor(context: Context) -> Figures:
    """Seconds to build, compile, train and evaluate each trial, the memory before it, and the graphs that were made."""
    space, draw = search_spaces.load("parameter_golf"), random.Random(3)
    base = with_values(golf(context, "proxy"), {"budget": Budget(steps=STEPS)})
    count = TRIALS if context.cuda and not context.quick else FEW_TRIALS
    rows = [
        _trial(context, space.config(base, drawn(space, draw)), compile)
        for compile in (False, True)
        for _ in range(count)
    ]
    stats = torch._dynamo.utils.counters["stats"]
    return {"trials": rows, "allocated_after": context.memory(), "graphs": dict(stats)}


def _trial(context: Context, config: TrainConfig, compile: bool) -> Figures:
    before, started = context.memory(), time.perf_counter()
    run = start(config, Runtime(context.device, "bf16", compile), golf_data(context))
    built = time.perf_counter() - started
    *_, last = train(run, milestones=(STEPS // 2,))
    row: Figures = {
        "compile": compile,
        "status": last.status,
        "build_seconds": round(built, 2),
        "compile_seconds": round(run.compile_seconds, 1),
        "train_seconds": round(run.spent.seconds, 2),
        "eval_seconds": round(run.eval_seconds, 2),
        "allocated_before_mib": before.get("allocated_mib"),
    }
    del run
    gc.collect()  # as an actor does between its trials
    return row


def drawn(space: Space, draw: random.Random) -> dict[str, Any]:
    """A value of every knob that is live, drawn evenly from its domain."""
    values: dict[str, Any] = {}
    for knob in space.knobs:
        if not knob.when or all(values.get(path) in labels for path, labels in knob.when.items()):
            values[knob.path] = _drawn(knob.domain, draw)
    return values


def _drawn(domain: Domain, draw: random.Random) -> Any:
    if isinstance(domain, Choice):
        return draw.choice(domain.labels)
    if isinstance(domain, Integer):
        return draw.randint(domain.low, domain.high)
    if domain.is_log:
        return math.exp(draw.uniform(math.log(domain.low), math.log(domain.high)))
    return draw.uniform(domain.low, domain.high)
