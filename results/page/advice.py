"""Advice for a page: the knobs that matter, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from terminal.counted import counted
from terminal.escape import visible

from results.page.plain import json_number, shown_text
from results.questions.importance import SHARE_INTERVAL, importance
from results.questions.next_steps import next_steps, step_in_words
from results.store.frames import Results

MOST_AXES = 12  # knobs that the picture of all of them begins with


def importance_rows(results: Results) -> dict[str, Any] | None:
    """Each knob's part of the differences, with its interval and whether these trials can tell; None where no knob is
    searched.
    """
    table = importance(results)
    if table.empty:
        return None
    told = int(table["can_tell"].sum())
    unexplained = float(table.attrs["unexplained"])
    judged = int(table["importance"].notna().sum())
    said = f"These trials can tell of {told} of {counted(len(table), 'knob')} that it matters."
    return {
        "interval": SHARE_INTERVAL,
        "hint": f"The part of the differences in the objective that each knob makes, with its {SHARE_INTERVAL}. {said} "
        + (_to_none(unexplained) if judged else "There are too few of them."),
        "axis": "part of the variance",
        "rows": [_knob(row) for row in table.to_dict("records")],
        "notes": [shown_text(table.attrs["about"])],
    }


def _to_none(unexplained: float) -> str:
    return (
        f"The model puts {unexplained:.0%} of the differences down to no knob. The rest it shares out among the knobs, "
        "as surely as the intervals are narrow."
    )


def first_knobs(importances: Mapping[str, Any] | None) -> list[str] | None:
    """The knobs to draw first: the most important ones; None where nobody knows."""
    if importances is None:
        return None
    return [row["name"] for row in importances["rows"][:MOST_AXES] if row["middle"] is not None] or None


def steps(results: Results) -> list[dict[str, Any]]:
    """List the steps worth doing next, the first on top, each with its reason and its command."""
    return [_step(row) for row in next_steps(results).to_dict("records")]


def _knob(row: Mapping[Any, Any]) -> dict[str, Any]:
    can_tell = row["can_tell"] is True or bool(row["can_tell"])
    acts = f"acts where {row['condition']}" if isinstance(row["condition"], str) and row["condition"] else ""
    why = row["reason"] if isinstance(row["reason"], str) else ""
    chance = "" if pd.isna(row["chance"]) else f"chance that it does nothing: {row['chance']:.3f}"
    return {
        "name": shown_text(row["knob"]),
        "middle": json_number(row["importance"]),
        "low": json_number(row["low"]),
        "high": json_number(row["high"]),
        "colour": "winner" if can_tell else "soft",
        "lines": [shown_text(line) for line in (f"{row['knob']}: {row['verdict']}", chance, acts, why) if line],
        "said": shown_text(row["verdict"]),
        "trials": json_number(row["trials"]),
        "why": shown_text("; ".join(part for part in (why, acts) if part)),
    }


def _step(row: Mapping[Any, Any]) -> dict[str, Any]:
    line = row["command"] if isinstance(row["command"], str) and row["command"] == visible(row["command"]) else None
    return {"text": shown_text(step_in_words(row)), "command": line}
