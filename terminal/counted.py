"""A number with the noun that it counts: ``1 trial``, ``2 trials``, ``1,024 tokens``, ``0.5 cores``."""

from __future__ import annotations


def counted(number: float, noun: str, plural: str = "") -> str:
    """The number with ``noun``, in the plural unless it is 1; a ``plural`` is given where an -s does not make it."""
    amount = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{amount} {noun if number == 1 else plural or f'{noun}s'}"
