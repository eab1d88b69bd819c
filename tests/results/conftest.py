"""A small made-up campaign that the tests of `results` share."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from results import Store
from results.questions import importance
from results.questions import posterior as model
from results.store import row_writer

KNOBS = {
    "optimizer.matrix_lr": "float64",
    "optimizer.muon_momentum": "float64",
    "optimizer.muon_backend_steps": "int64",
    "schedule": "string",
    "schedule.warmdown_frac": "float64",
    "model.tied": "bool",
}
BASE = {
    "optimizer.matrix_lr": 0.04,
    "optimizer.muon_momentum": 0.95,
    "optimizer.muon_backend_steps": 5,
    "schedule": "Warmdown",
    "schedule.warmdown_frac": 0.6,
    "model.tied": True,
}
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

# What no row lacks, beside its key and status; a report has two of them.
WHOLE: dict[str, Any] = {
    "number": 0, "is_base": False, "objective": "val_bpb", "config": "null", "overrides": "{}", "seed": 1337,
    "data": "made-up", "attempt": 1, "budget": 240.0, "budget_unit": "steps", "started_at": START, "value": 1.0,
    "rung": 60.0, "last_value": 1.0,
}  # fmt: skip

Row = dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def _the_same_rows_are_fitted_once() -> Iterator[None]:
    """Keep the draws of importance's model: most pages of these tests show the same made-up trials.

    They take longer than all else of a page, and the same rows and generator give the same draws.
    """
    kept, draw = dict[bytes, Any](), importance.posterior

    def posterior(*given: Any) -> Any:
        *arrays, random = given
        key = pickle.dumps((arrays, random.bit_generator.state, model.DRAWS))
        if key not in kept:
            kept[key] = draw(*given)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importance, "posterior", posterior)
        yield


@pytest.fixture(autouse=True)
def _rows_are_in_the_parts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever reads the Parquet files see each row as soon as it is written; test_row_writer.py has the rest."""
    monkeypatch.setattr(row_writer, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(row_writer, "SHARE", float("inf"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A campaign in which nothing has happened yet."""
    return Store.create(tmp_path / "fresh", {"space": "parameter_golf"}, KNOBS)


@pytest.fixture
def make_trial() -> Callable[..., Row]:
    """A row of `trials`: number, status and value, what it changes, and any other columns."""

    def make(number: int, status: str, value: float | None = None, changes: Row | None = None, **columns: Any) -> Row:
        changes = changes or {}
        return {
            "key": f"{number:016x}",
            "campaign": "made-up",
            "is_base": not changes,
            "number": number,
            "status": status,
            "objective": "val_bpb",
            "value": value if status == "completed" else None,
            "last_value": value,
            "overrides": json.dumps(changes),
            **{name: value for name, value in WHOLE.items() if name in ("config", "seed", "data", "attempt", "budget")},
            "budget_unit": "steps",
            "train_seconds": 10.0,
            "started_at": START + timedelta(seconds=number),
            **BASE,
            **changes,
            **columns,
        }

    return make


@pytest.fixture
def campaign(tmp_path: Path, make_trial: Callable[..., Row]) -> Path:
    """The folder of a campaign with a trial of every kind that the leaderboard treats differently."""
    store = Store.create(tmp_path / "made-up", {"space": "parameter_golf"}, KNOBS)
    rows = [
        make_trial(0, "completed", 1.8735),
        make_trial(1, "completed", 1.8423, {"optimizer.matrix_lr": 0.06123, "schedule": "Cosine", "model.tied": False}),
        make_trial(2, "stopped", 2.1, {"optimizer.matrix_lr": 0.2}, rung=20, cutoff=2.0),
        make_trial(3, "stopped", 1.95, {"optimizer.muon_momentum": 0.8}, rung=80, cutoff=1.9),
        make_trial(4, "diverged", float("nan"), {"optimizer.matrix_lr": 3.0}, reason="loss is nan at step 12"),
        make_trial(5, "completed", 1.8911, {"optimizer.muon_backend_steps": 7, "schedule.warmdown_frac": 0.25}),
        make_trial(6, "stopped", 1.93, {"optimizer.matrix_lr": 0.1}, rung=80, cutoff=1.9),
        make_trial(7, "running", 2.3, {"optimizer.matrix_lr": 0.05}, train_seconds=None),
    ]
    for row in rows:
        store.write_trial(row)
        for step in (20, 40):
            store.append_report({"key": row["key"], "attempt": 1, "step": step, "at": START})
    return store.folder
