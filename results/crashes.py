"""Trials that crashed, for people: which, by what error, and where all of it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from terminal.counted import counted
from terminal.escape import elided

from results.store.statuses import SEARCH

SHOWN = 3  # whose errors are told; many trials often crash by the same


def crash_lines(rows: Iterable[Mapping[Any, Any]]) -> list[str]:
    """The errors of the first crashed trials among ``rows``, each with its file; how many more there are."""
    crashed = [row for row in rows if row["status"] == "crashed"]
    found = [_line(row) for row in crashed[:SHOWN]]
    return [*found, f"crashed too: {counted(left, 'more run')}"] if (left := len(crashed) - SHOWN) > 0 else found


def _line(row: Mapping[Any, Any]) -> str:
    lines = str(row.get("reason") or "no error was written down").strip().splitlines()
    stage = row.get("stage")
    name = "trial" if not isinstance(stage, str) or stage == SEARCH else f"{stage} run"
    return f"crashed: {name} {row['number']}: {elided(lines[0])} (errors/{row['key']}.txt)"
