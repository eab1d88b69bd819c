"""Rows and reports of a made-up search whose values are a known function of its knobs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from results.store.frames import Results

Row = dict[str, Any]
KNOBS = {"rate": "float64", "size": "int64", "kind": "string", "kind.depth": "float64", "clip": "float64"}
RANGES: dict[str, Row] = {
    "rate": {"domain": "0.001 .. 0.1 (log)", "kind": "log", "low": 0.001, "high": 0.1, "when": None},
    "size": {"domain": "1 .. 8", "kind": "integer", "low": 1, "high": 8, "when": None},
    "kind": {"domain": "deep | flat", "kind": "choice", "options": ["deep", "flat"], "when": None},
    "kind.depth": {
        "domain": "0 .. 1", "kind": "uniform", "low": 0.0, "high": 1.0, "when": {"kind": ["deep"]},
    },
    "clip": {"domain": "null | 0.3 | 1", "kind": "choice", "options": [None, 0.3, 1.0], "when": None},
}  # fmt: skip
SPACE = {"knobs": KNOBS, "ranges": RANGES}


def place(row: Row) -> float:
    """Where the rate lies: 0 at its low end, 1 at its high one."""
    return math.log10(row["rate"] / 0.001) / 2


def drawn(number: int, random: np.random.Generator) -> Row:
    """The knobs of one trial, evenly over the space."""
    kind = str(random.choice(["deep", "flat"]))
    depth = {"kind.depth": float(random.random())} if kind == "deep" else {"kind.depth": None}
    clip = [None, 0.3, 1.0][int(random.integers(3))]
    rate = float(10 ** random.uniform(-3, -1))
    return {"rate": rate, "size": int(random.integers(1, 9)), "kind": kind, **depth, "clip": clip}


def search(
    make_trial: Callable[..., Row], value: Callable[[Row], float], trials: int = 24, seed: int = 0, noise: float = 0.02
) -> list[Row]:
    """Completed trials, the base first."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(trials):
        knobs = drawn(number, random)
        found = value(knobs) + noise * float(random.normal())
        row = make_trial(number, "completed", found, {"rate": knobs["rate"]} if number else None)
        for other in ("optimizer.matrix_lr", "optimizer.muon_momentum", "optimizer.muon_backend_steps"):
            del row[other]
        for other in ("schedule", "schedule.warmdown_frac", "model.tied"):
            del row[other]
        rows.append({**row, **knobs, "overrides": json.dumps({} if not number else {"rate": knobs["rate"]})})
    return rows


def with_noise(campaign: Results, times: int) -> Iterator[Results]:
    """The campaign with noise in the place of its values, drawn anew each time."""
    for seed in range(times):
        noise = np.random.default_rng(seed).normal(size=len(campaign.rows))
        yield Results(
            campaign.campaign, campaign.rows.assign(value=noise), campaign.reports, campaign.name, campaign.store
        )
