"""The knobs of several campaigns side by side, and each winner's value, for a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from results.page.knobs import ends_of
from results.page.plain import json_cell, json_number, shown_text
from results.page.table import base_values
from results.store.frames import Results


def compared_ranges(
    knobs: pd.DataFrame,
    names: Sequence[str],
    all_results: Sequence[Results],
    winners: Sequence[Mapping[str, Any] | None],
) -> list[dict[str, Any]]:
    """Each knob of any of the campaigns: its range in each as text and, of numbers, its ends; the base's value and the
    winner's.
    """
    bases = [base_values(results.trials, results.campaign) for results in all_results]
    won = [_changes(results, winner) for results, winner in zip(all_results, winners, strict=True)]
    found = []
    for row in knobs.to_dict("records"):
        path, texts = row["knob"], [row[f"in {name}"] for name in names]
        found.append(
            {
                "path": shown_text(path),
                "same": bool(row["same"]),
                "texts": [shown_text(text) if isinstance(text, str) else None for text in texts],
                "ends": [_ends(text) for text in texts],
                "base": [json_cell(base.get(path)) for base in bases],
                "winner": [
                    None if own is None else json_cell(own.get(path, base.get(path)))
                    for own, base in zip(won, bases, strict=True)
                ],
            }
        )
    return found


def _ends(text: Any) -> list[Any] | None:
    """Lowest and highest of a range of numbers, and whether it is logarithmic; both alike where it is fixed."""
    if not isinstance(text, str):
        return None
    if text.startswith("= "):
        try:
            fixed = json_number(text.removeprefix("= "))
        except ValueError:
            return None
        return None if fixed is None else [fixed, fixed, False]
    return ends_of(text)


def _changes(results: Results, winner: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if winner is None:
        return None
    rows = results.trials
    written = rows.loc[rows["number"] == winner["trial"], "overrides"].iloc[0]
    found: dict[str, Any] = json.loads(written) if isinstance(written, str) else {}
    return found
