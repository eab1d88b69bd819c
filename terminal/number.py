"""A text as a number: one grammar for the command line, CSV files and limits.

Decimal digits of ASCII with an optional sign, point and exponent: ``7``, ``+7``, ``-0.5``, ``.04``, ``5.``, ``1e-3``.
No ``1_000``, ``0x10``, ``inf`` or ``nan``, which Python alone would take in one place and not in another.
"""

from __future__ import annotations

import re

_FORM = re.compile(r"[+-]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][+-]?[0-9]+)?")
MOST_DIGITS = 4000  # Python refuses to convert more than 4,300


def number(text: str) -> int | float | None:
    """The number that a text is, whole unless it has a point or an exponent; None where it is none.

    One too large for a float is infinite, which whoever asked refuses by its range.
    """
    found = _FORM.fullmatch(text)
    if found is None or len(text) > MOST_DIGITS:
        return None
    return float(text) if any(found.groups()) else int(text)


def decimal(text: str) -> float | None:
    """Read a decimal number as a float; None where the text is none."""
    return float(text) if _FORM.fullmatch(text) and len(text) <= MOST_DIGITS else None
