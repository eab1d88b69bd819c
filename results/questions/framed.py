"""Frames with the same columns and types whatever is in them, so that an empty answer is one too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from results.store.frames import Results

WORDS, NUMBER, COUNT, YES_NO, MOMENT = "string", "float64", "Int64", "boolean", "datetime64[us, UTC]"


def framed(rows: Iterable[Mapping[Any, Any]], types: Mapping[str, str]) -> pd.DataFrame:
    """A frame of ``rows`` with the columns of ``types`` in that order; what a row lacks is null."""
    table = pd.DataFrame(list(rows), columns=list(types))
    return table.astype(types)


def changes_of(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Read what a run changed: dotted path -> value."""
    text = row["overrides"]
    found: dict[str, Any] = {} if not isinstance(text, str) else json.loads(text)
    return found


def changes_text(changes: Mapping[str, Any]) -> str:
    """Changes as one text, values in full: ``schedule=Tidal, optimizer.matrix_lr=0.06123``."""
    said = ((path, value if isinstance(value, str) else json.dumps(value)) for path, value in changes.items())
    return ", ".join(f"{path}={value}" for path, value in said)


def objectives_of(results: Results) -> list[str]:
    """The objectives of a campaign, one or two; one also where an earlier version has not written them down."""
    found = [str(name) for name in results.campaign.get("objectives") or []]
    if found:
        return found
    known = results.rows["objective"].dropna()
    return [str(results.campaign.get("objective") or (known.iloc[0] if len(known) else "value"))]


def second_objective_of(results: Results) -> str | None:
    """The name of a campaign's second objective; None where it has one only."""
    return next(iter(objectives_of(results)[1:]), None)


def seconds_on_device(rows: pd.DataFrame) -> pd.Series:
    """Device-seconds of each run over all its attempts: training, evaluation and compiling, without set-up.

    What a run never reported counts as 0.
    """
    parts = [rows[name].fillna(0.0) for name in ("train_seconds", "eval_seconds", "compile_seconds") if name in rows]
    return sum(parts, pd.Series(0.0, index=rows.index))
