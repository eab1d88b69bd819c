"""Types of the options that take a number: each has a range, and refuses the rest in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from terminal.number import decimal, number

MOST = 1_000_000  # of anything that is counted: trials, slots, seeds, rows
DIGITS = 30  # beyond them no count is read, and no text repeated


def at_least_one(text: str) -> int:
    """The type of an option that counts something."""
    if not (count := _whole(text)) or not 1 <= count <= MOST:
        rule = f"is not a whole number of at least 1 and at most {MOST:,}"
        raise argparse.ArgumentTypeError(f"{_short(text)} {rule}{in_digits(text, 1, MOST)}")
    return count


def whole_number(low: int, high: int, range_in_words: str = "") -> Callable[[str], int]:
    """The type of an option that takes a whole number in low..high."""

    def checked(text: str) -> int:
        if (found := _whole(text)) is None or not low <= found <= high:
            said = range_in_words or f"{low:,}..{high:,}"
            raise argparse.ArgumentTypeError(
                f"{_short(text)} is not a whole number in {said}{in_digits(text, low, high)}"
            )
        return found

    return checked


def positive(what: str, high: int, low: float = 1e-9) -> Callable[[str], float]:
    """The type of an option that takes a positive number of ``what``, from ``low`` up to ``high``."""

    def checked(text: str) -> float:
        amount = decimal(text) or 0.0
        if not low <= amount <= high:
            rule = f"a positive number of {what} up to {high:,}, at least {low:g}"
            raise argparse.ArgumentTypeError(f"{_short(text)} is not {rule}")
        return amount

    return checked


def _whole(text: str) -> int | None:
    """The whole number that a text of digits is; None for another, and for one with a minus, be it before a 0."""
    found = number(text) if len(text) <= DIGITS and not text.startswith("-") else None
    return found if isinstance(found, int) else None


def in_digits(text: str, low: int, high: int) -> str:
    """A hint for a whole number of low..high that is not written in digits alone, as 1e3 or 1,000; else empty."""
    found = decimal(text.replace("_", "").replace(",", "")) if len(text) <= DIGITS else None
    if found is None or not max(low, 1) <= found <= min(high, 10**15) or not found.is_integer():
        return ""
    return f" ({found:.0f} in digits)"


def _short(text: str) -> str:
    return repr(text if len(text) <= DIGITS else f"{text[: DIGITS - 3]}...")
