"""Order of a search's best at the larger scale for a page: values and ranks of both scales beside each other."""

from __future__ import annotations

from typing import Any

import pandas as pd

from results.page.plain import json_number, shown_text
from results.questions.transfer import at_larger, transfer
from results.store.frames import Results

_NUMBERS = (
    "trial", "search_trial", "search_rank", "search_value", "search_versus_base", "rank", "value", "versus_base",
    "difference", "low", "high",
)  # fmt: skip


def transferred(results: Results) -> dict[str, Any] | None:
    """The table of ``transfer`` with what it comes to in words; None where nothing was carried over, or is readable."""
    try:
        table, larger = transfer(results), at_larger(results)
    except ValueError:
        return None  # the report says why
    if larger is None or table.empty:
        return None
    rows = [_plain(row) for row in table.to_dict("records")]
    is_here = results.campaign.get("carried") is not None
    return {
        "there": shown_text(larger.campaign["carried"]["scale"]),
        "here": shown_text(larger.campaign.get("scale", "")),
        "lines": [shown_text(line) for line in table.attrs["lines"]],
        "where": "" if is_here else shown_text(f"All of it stands in campaign {larger.name}, beside this one."),
        "linked": "trial" if is_here else "search_trial",  # which numbers are those of this page's trials
        "rows": rows,
    }


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: None if pd.isna(row[name]) else json_number(row[name]) for name in _NUMBERS}
    said = None if pd.isna(row["verdict"]) else shown_text(row["verdict"])
    return {**found, "is_base": bool(row["is_base"]), "verdict": said}
