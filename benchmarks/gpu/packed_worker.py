"""One process of several that train on the same device: it says when it is ready, and trains while it is told to.

The processes and the one that started them speak by files in a folder, each of which appears whole.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.context import Context
from benchmarks.gpu.golf import VOCAB, golf
from benchmarks.gpu.made_up import made_up
from benchmarks.gpu.small import start
from benchmarks.gpu.steps import whole_step

READY, ROUND, RESULT, END = "ready", "round", "result", "end"  # how the names of the files begin
STEPS_AHEAD = 10  # that the host may queue before it waits for the device
WARM_UP_STEPS, QUICK_WARM_UP_STEPS = 20, 3


def put(path: Path, value: Any) -> None:
    """Write a file that appears whole."""
    part = path.with_name(f".{path.name}")
    part.write_text(json.dumps(value), encoding="utf-8")
    part.rename(path)


def work(context: Context, folder: Path, number: int) -> None:
    """Take part in each round in which so many processes are to train, until the file ``end`` is there."""
    parent = os.getppid()
    run = start(golf(context, "proxy"), context.bf16, made_up(VOCAB, 300_000, 20_000))
    go = whole_step(run)
    for _ in range(QUICK_WARM_UP_STEPS if context.quick else WARM_UP_STEPS):
        go()
    context.synchronize()
    (folder / f"{READY}.{number}").touch()
    done = 0
    while not (folder / END).exists() and os.getppid() == parent:
        rounds = sorted(folder.glob(f"{ROUND}.*"))
        if len(rounds) <= done:
            time.sleep(0.01)
            continue
        active, until = json.loads(rounds[done].read_text(encoding="utf-8"))
        steps, began = 0, time.time()
        while number < active and time.time() < until:
            go()
            steps += 1
            if steps % STEPS_AHEAD == 0:
                context.synchronize()
        context.synchronize()
        put(folder / f"{RESULT}.{done}.{number}", [steps, time.time() - began])
        done += 1
