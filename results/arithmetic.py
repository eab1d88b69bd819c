"""Trials of one campaign that were not computed in the same precision, said so that they are compared with care."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from terminal.counted import counted
from terminal.escape import elided


def arithmetic_lines(rows: Iterable[Mapping[Any, Any]]) -> list[str]:
    """One line where Muon iterated in one precision in some of the ``rows`` and in another in others."""
    found = Counter(named for row in rows if isinstance(named := row.get("muon_precision"), str))
    if len(found) < 2:
        return []
    parts = ", ".join(f"{elided(name)} in {counted(number, 'run')}" for name, number in sorted(found.items()))
    return [f"Muon iterated in different precisions, by machine and size of the matrices: {parts}"]
