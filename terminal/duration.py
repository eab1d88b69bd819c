"""A time in words: ``53 s``, ``3 min 9 s``, ``2 h 5 min``, ``4 d 5 h``. Tables of progress have a clock instead."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Two units at most: what is left out is less than one of the smaller."""
    if seconds < 59.5:
        return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else f"{seconds:.1g} s"
    for one, of, name, smaller in ((60, 1, "min", "s"), (3600, 60, "h", "min"), (86400, 3600, "d", "h")):
        whole, rest = divmod(round(seconds / of), one // of)
        if whole < {"min": 60, "h": 100}.get(name, float("inf")):
            return f"{whole:,} {name}" + (f" {rest} {smaller}" if rest else "")
    raise AssertionError(seconds)


def step_time(seconds: float) -> str:
    """A time that may be much less than a second: ``40.5 ms``, ``1.2 s``."""
    return f"{1000 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def durations(low: float, high: float) -> str:
    """A span of times, or one where both are nearly the same."""
    first, last = duration(low), duration(high)
    return first if first == last or high < 1.05 * low else f"{first} to {last}"


def rounded_seconds(seconds: float) -> float:
    """Round seconds that are foretold to what can be known of them: a tenth or so."""
    for under, step in ((60, 5), (600, 30), (3600, 60), (36_000, 300)):
        if seconds < under:
            return step * max(1, round(seconds / step))
    return 3600.0 * round(seconds / 3600)


def about(low: float, high: float | None = None) -> str:
    """A time that is foretold: ``about 10 min``, or ``about 10 min to 25 min``."""
    return f"about {durations(rounded_seconds(low), rounded_seconds(low if high is None else high))}"
