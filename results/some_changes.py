"""Changes of a trial in a line that has room for some of them, and the number of those that are left out."""

from __future__ import annotations

from collections.abc import Sequence

HEADING = "changed from the base (+n more)"


def as_many_as_fit(changes: Sequence[str], width: int, lead: Sequence[str] = ()) -> str:
    """Join as many changes as ``width`` characters hold beside ``lead``, but at least one."""
    for shown in range(len(changes), 0, -1):
        text = " ".join([*lead, some(changes, shown, " ")])
        if len(text) <= width or shown == 1:
            return text
    return " ".join(lead)


def some(changes: Sequence[str], most: int, separator: str = ", ") -> str:
    """Join the first ``most`` changes and count the others: ``schedule=Tidal +18``."""
    text = separator.join(changes[:most])
    return text if len(changes) <= most else f"{text} +{len(changes) - most}"
