"""A time left in words."""

from __future__ import annotations

from terminal.duration import duration, rounded_seconds
from tuner.plan.time_left import Span

ONE = 1.25  # a range whose ends are no further apart is said as one time


def said_of_left(left: Span) -> str:
    """``about 9 min``, or where it is not that certain ``about 9 min (7 min to 14 min)``."""
    text = f"about {duration(rounded_seconds(left.middle))}"
    low, high = duration(rounded_seconds(left.low)), duration(rounded_seconds(left.high))
    return text if left.high <= ONE * left.low or low == high else f"{text} ({low} to {high})"
