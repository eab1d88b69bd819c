"""Numbers of a report as the rows have them: speeds, how far the run has come, and the row itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from results.store.row_parts import given, of_report
from results.store.row_types import ReportRow, TrialRow


def token_speeds(row: TrialRow, tokens: int | None, total: float) -> tuple[float | None, float | None]:
    """Tokens a second of all training, and since the report before; null where nobody knows of tokens."""
    if tokens is None:
        return None, None
    speed = tokens / total if total else None
    seconds = total - (row["train_seconds"] or 0.0)
    recent = (tokens - (row["tokens"] or 0)) / seconds if seconds > 0 else None
    # less than nothing: it went back further than it has come since, as a checkpoint was lost
    return speed, speed if recent is not None and recent < 0 else recent


def spent_at(result: Mapping[str, Any], unit: str) -> float:
    """Return how far a run has come, in the unit of its budget."""
    return float(result["step" if unit == "steps" else unit])


def report_row(
    key: str, row: TrialRow, sent: Mapping[str, Any], beside: float, speed: float | None, at: datetime
) -> ReportRow:
    """A row of ``reports``: ``sent`` by the worker, with ``beside`` (training beside the run, in budget units)."""
    return {
        **of_report(sent),
        "key": key,
        "attempt": given(row["attempt"]),
        "extra_spent": beside,
        "reported_value": sent.get("reported_value"),
        "tokens_per_second": speed,
        "logged": json.dumps(sent["logged"]),
        "at": at,
    }
