"""Changes of a trial without effect there: the audit found none, or another setting of the trial switches them off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

NAMED = 3  # of them in a line


def inert_changes(cell: Any) -> list[str]:
    """Read the paths of a row's column ``inert``; none where nothing audited it."""
    return [str(path) for path in json.loads(cell)] if isinstance(cell, str) else []


def without_effect(paths: Sequence[str]) -> str:
    """Say behind a number of changes `` (1 of them without effect: schedule)``; nothing where all have one."""
    if not paths:
        return ""
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f" ({len(paths)} of them without effect: {', '.join(paths[:NAMED])}{more})"
