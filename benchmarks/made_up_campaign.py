"""A campaign of any size that nobody trained: for tests and measurements of what reads campaigns.

Its files are those of a search with early stopping at two rungs, some failures, training curves and a confirmation.
Written many rows at a time, since a search's own way takes a sync to the disk for each of them.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from results.store import parquet
from results.store.campaign_folder import Store
from results.store.names import TRIALS_A_PART
from results.store.row_files import RowFiles
from results.store.row_writer import RowWriter
from results.store.schema import curves_schema, reports_schema, trials_schema

STEPS, RUNGS, TOKENS = 1000, (250, 500), 1024
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RATES = ("matrix", "scalar", "embed")
KNOBS = {
    **{f"optimizer.{group}_lr": "float64" for group in RATES},
    "optimizer.momentum": "float64",
    "model.num_layers": "int64",
    "schedule": "string",
    "schedule.warmup_frac": "float64",
    "model.tied": "bool",
    **{f"losses.Term{number}.weight": "float64" for number in range(8)},
}
RANGES: dict[str, Any] = {
    **{f"optimizer.{group}_lr": {"domain": "0.001 .. 1 (log)", "why": "made up", "when": None} for group in RATES},
    "optimizer.momentum": {"domain": "0.8 .. 0.99", "why": "made up", "when": None},
    "model.num_layers": {"domain": "2 .. 12", "why": "made up", "when": None},
    "schedule": {"domain": "Cosine | Tidal | Warmdown", "why": "made up", "when": None},
    "schedule.warmup_frac": {"domain": "0.01 .. 0.5", "why": "made up", "when": {"schedule": ["Tidal"]}},
    "model.tied": {"domain": "true | false", "why": "made up", "when": None},
    **{f"losses.Term{n}.weight": {"domain": "0 .. 1", "why": "made up", "when": None} for n in range(8)},
}
BASE: dict[str, Any] = {
    **{f"optimizer.{group}_lr": 0.01 for group in RATES},  # so that the search finds something better
    "optimizer.momentum": 0.95,
    "model.num_layers": 9,
    "schedule": "Cosine",
    "schedule.warmup_frac": None,
    "model.tied": True,
    **{f"losses.Term{number}.weight": 0.0 for number in range(8)},
}
SEEDS = (1338, 1339, 1340)


def make(folder: Path, trials: int, points: int = 250, seed: int = 0) -> Path:
    """Write a finished search of so many trials, each with curves of at most ``points`` steps; returns the folder."""
    described(folder, trials)
    random = np.random.default_rng(seed)
    whole = rows(trials, random)
    writer = RowWriter(RowFiles(folder, Store.open(folder).campaign))
    for at in range(0, len(whole), TRIALS_A_PART):
        part = whole[at : at + TRIALS_A_PART]
        writer.write("trials", [(row["key"], pa.Table.from_pylist([row], trials_schema(KNOBS))) for row in part])
        writer.write("reports", [(row["key"], pa.Table.from_pylist(reports(row), reports_schema())) for row in part])
    writer.settle_all()
    for row in whole:
        curve = pa.Table.from_pylist(_curve(row, points, random), curves_schema())
        (folder / "curves" / f"{row['key']}.parquet").write_bytes(parquet.of_many_rows(curve))
    return folder


def described(folder: Path, trials: int) -> Store:
    """Begin the campaign of such a search."""
    record = {
        "space": "made_up", "scale": "proxy", "objective": "val_loss", "objectives": ["val_loss"], "trials": trials,
        "stopper": "asha", "fidelity": "truncate", "confirm": "3x3", "ranges": RANGES, "inert": [],
        "question": "What does a page of a large campaign weigh?", "code_version": "made-up", "data": "made-up",
        "data_description": "made up", "environment": {"python": "3.11"}, "created_at": START.isoformat(),
    }  # fmt: skip
    return Store.create(folder, record, KNOBS)


def rows(trials: int, random: np.random.Generator) -> list[dict[str, Any]]:
    """The rows of such a search: so many trials, and the runs that confirm the best of them."""
    found = [_searched(number, random) for number in range(trials)]
    best = sorted(
        (row for row in found if row["status"] == "completed" and not row["is_base"]), key=lambda r: r["value"]
    )
    for arm in (found[0], *best[:3]):
        found += [_again(arm, len(found) + at, fresh, random) for at, fresh in enumerate(SEEDS)]
    return [{**row, "number": number} for number, row in enumerate(found)]


def _searched(number: int, random: np.random.Generator) -> dict[str, Any]:
    values = {**BASE} if number == 0 else _drawn(random)
    quality = _loss(values) + 0.01 * random.standard_normal()
    status, spent, reason = "completed", STEPS, None
    if number and quality > 3.35:
        status, spent, reason = "stopped", RUNGS[0], "rung 250: 4.1021 > 3.9000 (best 1/2 of 40 there)"
    elif number and quality > 3.22:
        status, spent, reason = "stopped", RUNGS[1], "rung 500: 3.5021 > 3.4000 (best 1/2 of 20 there)"
    elif number and random.random() < 0.03:
        status, spent, reason = str(random.choice(["crashed", "diverged"])), 100, "ValueError: made up, at step 100"
    changes = {path: value for path, value in values.items() if value != BASE[path] and value is not None}
    return _row(number, f"{number:016x}", status, spent, quality, values, changes, 1337) | {"reason": reason}


def _again(arm: dict[str, Any], number: int, seed: int, random: np.random.Generator) -> dict[str, Any]:
    """A run of a confirmation."""
    values = {path: arm[path] for path in KNOBS}
    quality = _loss(values) + 0.01 * random.standard_normal()
    row = _row(number, f"c{number:015x}", "completed", STEPS, quality, values, json.loads(arm["overrides"]), seed)
    return row | {"stage": "confirm", "arm": arm["key"], "round": 0, "design": "3x3", "is_base": arm["is_base"]}


def _drawn(random: np.random.Generator) -> dict[str, Any]:
    schedule = str(random.choice(["Cosine", "Tidal", "Warmdown"]))
    return {
        **{f"optimizer.{group}_lr": float(10 ** random.uniform(-3, 0)) for group in RATES},
        "optimizer.momentum": float(random.uniform(0.8, 0.99)),
        "model.num_layers": int(random.integers(2, 13)),
        "schedule": schedule,
        "schedule.warmup_frac": float(random.uniform(0.01, 0.5)) if schedule == "Tidal" else None,
        "model.tied": bool(random.random() < 0.5),
        **{f"losses.Term{number}.weight": float(random.uniform(0, 1)) for number in range(8)},
    }


def _loss(values: dict[str, Any]) -> float:
    """Return a config's loss without noise: learning rates and the schedule matter, the terms of the loss do not."""
    off = sum(math.log10(values[f"optimizer.{group}_lr"] / 0.05) ** 2 for group in RATES)
    return 3.05 + 0.08 * off + {"Cosine": 0.05, "Tidal": 0.0, "Warmdown": 0.1}[values["schedule"]]


def _row(
    number: int, key: str, status: str, spent: int, quality: float, values: dict[str, Any], changes: Any, seed: int
) -> dict[str, Any]:
    seconds = spent * 0.05
    begun = START + timedelta(seconds=(number // 4) * 40.0 + number % 4)
    value = _at(quality, spent)
    return {
        "key": key, "campaign": None, "stage": "search", "number": number, "status": status, "is_base": not changes,
        "objective": "val_loss", "value": value if status == "completed" else None, "last_value": value,
        "val_loss": value, "train_loss": value, "overrides": json.dumps(changes), "config": "{}", "seed": seed,
        "data": "made-up", "attempt": 1, "budget": float(STEPS), "budget_unit": "steps", "spent": float(spent),
        "extra_spent": 0.0, "steps": spent, "tokens": spent * TOKENS, "train_seconds": seconds, "eval_seconds": 2.0,
        "wall_seconds": seconds + 3.0, "device": "made-up", "precision": "fp32", "muon_precision": "fp32",
        "activations_checkpointed": False,
        "worker": f"host:{number % 4}", "parameters": 325_960, "started_at": begun,
        "ended_at": begun + timedelta(seconds=seconds + 3.0),
        "rung": float(spent) if status == "stopped" else None, "cutoff": value - 0.1 if status == "stopped" else None,
        **values,
    }  # fmt: skip


def _at(quality: float, step: int) -> float:
    return quality + 4.0 / math.sqrt(1 + step)


def reports(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The reports of a trial, by its row."""
    quality = row["last_value"] - _at(0.0, row["spent"])
    steps = sorted({*(rung for rung in RUNGS if rung <= row["spent"]), int(row["spent"])})
    return [_report(row, step, _at(quality, step)) for step in steps]


def _report(row: dict[str, Any], step: int, value: float) -> dict[str, Any]:
    return {
        "key": row["key"], "attempt": 1, "step": step, "tokens": step * TOKENS, "seconds": step * 0.05,
        "progress": step / STEPS, "milestone": float(step) if step in (*RUNGS, STEPS) else None, "val_loss": value,
        "extra_spent": 0.0, "logged": "{}", "at": row["started_at"] + timedelta(seconds=step * 0.05),
    }  # fmt: skip


def _curve(row: dict[str, Any], points: int, random: np.random.Generator) -> list[dict[str, Any]]:
    quality = row["last_value"] - _at(0.0, row["spent"])
    steps = list(range(1, int(row["spent"]) + 1, max(1, STEPS // points)))
    noise = random.standard_normal(len(steps))
    kinds = {
        "gradient_norm": ("1", [1 + 0.2 * abs(e) for e in noise]),
        "loss": ("nats/token", [_at(quality, step) + 0.05 * e for step, e in zip(steps, noise, strict=True)]),
        **{f"learning_rate.{g}": ("1", [row[f"optimizer.{g}_lr"] * (1 - s / STEPS) for s in steps]) for g in RATES},
    }
    place = {"key": row["key"], "number": row["number"]}
    return [
        {**place, "step": step, "tokens": step * TOKENS, "name": name, "value": float(value), "unit": unit}
        for name, (unit, values) in sorted(kinds.items())
        for step, value in zip(steps, values, strict=True)
    ]
