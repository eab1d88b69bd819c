"""A number with the noun that it counts: ``1 trial``, ``2 trials``, ``1,024 tokens``, ``0.5 cores``."""

from __future__ import annotations


def counted(number: float, noun: str, plural: str = "") -> str:
    """The number with ``noun``, in the plural unless it is 1; a ``plural`` is given where an -s does not make it."""
    amount = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{amount} {noun if number == 1 else plural or f'{noun}s'}"


def best_of(number: int, noun: str = "") -> str:
    """``the best 3``, or ``the best one``; with a noun ``the best 3 trials``, or ``the best trial``."""
    if number == 1:
        return f"the best {noun or 'one'}"
    return f"the best {counted(number, noun) if noun else f'{number:,}'}"


def number_range(least: int, most: int) -> str:
    """``10 to 30``, or ``10`` where both ends are the same."""
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def counted_range(least: int, most: int, noun: str) -> str:
    """``10 to 30 runs``, or ``10 runs`` where both ends are the same."""
    return counted(most, noun) if least == most else f"{number_range(least, most)} {noun}s"
