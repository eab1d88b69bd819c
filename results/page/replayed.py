"""A replay for a page: what was recorded beside what was measured, run by run."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from results.page.plain import json_number, shown_text
from results.replays.comparison import Comparison, compare
from results.replays.side_by_side import summary
from results.store.frames import Results


def replayed(results: Results) -> dict[str, Any] | None:
    """The comparison of a replay with its record; None for a campaign that is none."""
    if results.campaign.get("recorded") is None:
        return None
    return _plain(compare(results), results.trials)


def _plain(comparison: Comparison, trials: pd.DataFrame) -> dict[str, Any]:
    numbers: dict[str, list[int]] = {}
    for name, found in zip(trials["recorded_id"], trials["number"], strict=True):
        if isinstance(name, str):
            numbers.setdefault(name, []).append(int(found))
    correlation = comparison.correlation
    return {
        "metric": shown_text(comparison.metric),
        "summary": [shown_text(line) for line in summary(comparison)],
        "correlation": None
        if correlation is None
        else [json_number(correlation.value), json_number(correlation.low), json_number(correlation.high)],
        "runs": [
            {
                "id": shown_text(run["id"]),
                "name": shown_text(run["name"]),
                "phase": shown_text(run["phase"]),
                "recorded": None if run["recorded_plateau"] else _known(run["recorded"]),
                "measured": _known(run["measured"]),
                "recorded_difference": _known(run["recorded_difference"]),
                "measured_difference": _known(run["measured_difference"]),
                "recorded_verdict": _text(run["recorded_verdict"]),
                "measured_verdict": _text(run["measured_verdict"]),
                "trials": numbers.get(run["training"], []) or numbers.get(run["id"], []),
            }
            for _, run in comparison.runs.iterrows()
        ],
        "progression": [
            {
                "label": shown_text(step["label"]),
                "id": shown_text(step["id"]),
                "recorded": _known(step["recorded"]),
                "measured": _known(step["measured"]),
            }
            for _, step in comparison.progression.iterrows()
        ],
    }


def _known(value: Any) -> float | int | None:
    return None if pd.isna(value) or math.isinf(value) else json_number(value)


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else shown_text(value)
