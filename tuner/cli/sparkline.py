"""Pictures of a few characters: a curve as a sparkline, and an interval on a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BARS = "▁▂▃▄▅▆▇█"
DASH, DOT, ZERO = "─", "●", "┊"


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """A character a value, of a height between ``low`` and ``high``; what lies beyond them is at their height."""
    if not high > low:
        return BARS[0] * len(values)
    return "".join(BARS[_place(value, low, high, len(BARS))] for value in values)


def interval(low: float, middle: float, high: float, ends: tuple[float, float], width: int) -> str:
    """An interval and its middle on a line of ``width`` characters from one of ``ends`` to the other, with its zero."""
    cells = [" "] * width
    for place in range(_place(low, *ends, width), _place(high, *ends, width) + 1):
        cells[place] = DASH
    if ends[0] <= 0 <= ends[1]:
        cells[_place(0.0, *ends, width)] = ZERO
    cells[_place(middle, *ends, width)] = DOT
    return "".join(cells)


def span_of(values: Iterable[float]) -> tuple[float, float]:
    """The lowest and the highest of some values; both zero where there are none."""
    found = list(values)
    return (min(found), max(found)) if found else (0.0, 0.0)


def _place(value: float, low: float, high: float, places: int) -> int:
    part = (value - low) / (high - low)
    return min(places - 1, max(0, int(part * places)))
