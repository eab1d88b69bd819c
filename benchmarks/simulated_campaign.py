"""A whole campaign of the tuner, its trials played, not trained: its own ``Search``, sampler, stopper and files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.played_search import played_search
from results.design import Design
from results.statistics.confirmation import rounds
from results.store.campaign_folder import Store
from search_spaces import load
from trainable.component_json import decode
from trainable.config import TrainConfig

SPACE, SCALE = "parameter_golf", "proxy"


def whole_campaign(folder: Path, design: Design, trials: int, value: Callable[[str, float], float], seed: int) -> bool:
    """Search and confirm one trial after another; whether a winner was established.

    ``value`` gives a run's objective at a part of its budget, by its config as JSON.
    """
    space = load(SPACE)
    base = replace(space.scale(SCALE).base, seed=1_000_000 * seed)  # other seeds, other noise
    store = Store.create(folder, {"space": SPACE, "scale": SCALE, "objective": space.objective}, space.column_types())
    search = played_search(space, base, store, trials, 1, seed, confirm=design)
    while not search.exhausted and (request := search.next()) is not None:
        search.start(request.key)
        config = decode(json.loads(request.config))
        assert isinstance(config, TrainConfig)
        for milestone in (*request.milestones, config.budget.amount):
            done = milestone == config.budget.amount
            result = played_result(config, milestone, value(request.config, milestone / config.budget.amount), done)
            stopped = not done and search.stopper.ends(request.key, result)
            search.report(request.key, result)
            if done or stopped:
                search.end(request.key, result)
                break
    search.abandon()
    return rounds(store.trials())[-1].judgement.winner is not None


def played_result(config: TrainConfig, milestone: float, value: float, done: bool) -> dict[str, object]:
    """Make the report that a worker would send of a trial at a milestone."""
    step = int(milestone)
    return {
        "status": "completed" if done else "running",
        "milestone": milestone,
        "step": step,
        "tokens": step * config.data.batch_tokens,
        "seconds": float(step),
        config.budget.unit: milestone,
        "progress": milestone / config.budget.amount,
        "val_loss": value,
        "val_bpb": value,
        "logged": {},
        "worker": f"simulated:{os.getpid()}",
    }
