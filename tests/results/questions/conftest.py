"""Made-up campaigns of every kind that a question must answer: each is written to disk and loaded again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from results import Store, load
from results.loaded import Loaded
from tests.results.conftest import KNOBS, START

Row = dict[str, Any]
Make = Callable[..., Loaded]
LR, MOMENTUM, TIED = {"optimizer.matrix_lr": 0.06}, {"optimizer.muon_momentum": 0.8}, {"model.tied": False}
DATA = {"data": "made-up", "base": {"budget": {"steps": 240}, "evaluation": {"tokens": 64}}}


@pytest.fixture
def written(tmp_path: Path) -> Make:
    """A campaign of these rows and reports, each begun a day after the one before unless it is ``at_once``;
    ``campaign`` are fields of its campaign.json.
    """
    made = itertools.count()

    def make(
        rows: Iterable[Row],
        reports: Iterable[Row] = (),
        name: str = "night",
        knobs: Row = KNOBS,
        at_once: bool = False,
        **campaign: Any,
    ) -> Loaded:
        later = next(made) * timedelta(days=0 if at_once else 1)
        described = {"space": "parameter_golf", "scale": "proxy", "objective": "val_bpb", **DATA, **campaign}
        store = Store.create(tmp_path / name, described, knobs)
        for row in rows:
            times = {at: row[at] + later for at in ("started_at", "ended_at") if row.get(at) is not None}
            store.write_trial({**row, **times})  # type: ignore[typeddict-item]
        for report in reports:
            store.append_report(report)  # type: ignore[arg-type]
        return load(tmp_path / name)

    return make


@pytest.fixture
def ended(make_trial: Callable[..., Row]) -> Callable[..., Row]:
    """A row that has ended, ``at`` so many seconds after the first began, after having run for ``took`` seconds."""

    def make(number: int, status: str, value: float | None = None, changes: Row | None = None, **columns: Any) -> Row:
        at, took = columns.pop("at", 20.0 * (number + 1)), columns.pop("took", 18.0)
        times = {"started_at": START + timedelta(seconds=at - took), "ended_at": START + timedelta(seconds=at)}
        spent = {"spent": 240.0, "extra_spent": 0.0, "steps": 240, "tokens": 2400, "eval_seconds": 4.0}
        return make_trial(number, status, value, changes, **{**times, **spent, **columns})

    return make


@pytest.fixture
def searched(ended: Callable[..., Row]) -> list[Row]:
    """A search: the base, two better ones, a worse one, one stopped half way, one diverged."""
    return [
        ended(0, "completed", 1.9),
        ended(1, "completed", 1.8, LR),
        ended(2, "stopped", 2.2, MOMENTUM, spent=120.0, tokens=1200, rung=120.0, cutoff=2.0),
        ended(3, "completed", 1.7, {**LR, **TIED}),
        ended(4, "diverged", None, {"optimizer.matrix_lr": 3.0}, spent=24.0, tokens=240),
        ended(5, "completed", 1.95, TIED),
    ]


JITTER = (0.001, -0.001, 0.0005)


@pytest.fixture
def confirmed(searched: list[Row], ended: Callable[..., Row], written: Make) -> Make:
    """The same with a confirmation of trials 3 and 1, the runs of which are all below the search's, and an ablation.

    Without its lower rate the winner is worse; without its untied embeddings it is not.
    """

    def make(
        better: float = 1.4, other: float = 1.5, ablated: bool = False, design: str = "2x3..5", **campaign: Any
    ) -> Loaded:
        rows, number = list(searched), 10
        arms = {0: ({}, 1.6), 3: ({**LR, **TIED}, better), 1: (LR, other)}
        for place, seed in enumerate((7, 8, 9)):
            for of, (changes, value) in arms.items():
                noisy = value + JITTER[place] * (-1) ** number + 0.2 * place
                columns = {"stage": "confirm", "arm": f"{of:016x}", "round": 0, "design": design, "seed": seed}
                rows.append(ended(number, "completed", noisy, changes, is_base=not of, **columns))
                number += 1
        if ablated:
            for undone, value in (("optimizer.matrix_lr", 1.61), ("model.tied", better - 0.0008)):
                plan = json.dumps({"changes": ["optimizer.matrix_lr", "model.tied"], "undone": [undone]})
                for place, seed in enumerate((7, 8, 9)):
                    columns = {"stage": "ablate", "arm": f"{number - place:016x}", "round": 0, "seed": seed}
                    cells = {**columns, "design": "2x3..5", "undone": plan}
                    rows.append(ended(number, "completed", value + 0.2 * place, LR, is_base=False, **cells))
                    number += 1
        return written(rows, **campaign)

    return make


@pytest.fixture
def unsettled(confirmed: Make) -> Loaded:
    """A confirmation at its end, whose first candidate is ahead of the base by less than the noise."""
    return confirmed(better=1.6012, other=1.7, design="2x3", name="open")
