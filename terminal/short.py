"""Values as texts for a line or a cell."""

from __future__ import annotations

import json
from typing import Any

SMALL = 1e-3  # below it, 4 decimals are less than two digits
LONGEST = 80  # characters of a value in a message


def short(value: Any) -> str:
    """A knob's value in few characters: 3 significant digits of a fraction, whole numbers and thousands in full."""
    if isinstance(value, float):
        whole = (value.is_integer() and abs(value) >= 100) or abs(value) >= 999.5
        return f"{value:.0f}" if whole and abs(value) < 1e6 else f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value)


def decimals(value: float) -> str:
    """A result as people read it: to 4 decimals, and to 3 significant digits where it is below 0.001."""
    return f"{value:.3g}" if 0 < abs(value) < SMALL else f"{value:.4f}"


def signed(value: float) -> str:
    """A difference of results, with its sign, to as many digits as a result."""
    return f"{value:+.3g}" if 0 < abs(value) < SMALL else f"{value:+.4f}"


def shortened(value: object) -> str:
    """A value as Python writes it, for a message: on one line, and cut where it is long.

    A whole number beyond 10^30 is written by its order, an array by its shape; what cannot be written, by its type.
    """
    if isinstance(value, int) and abs(value) > 10**30:
        return f"about {'-' if value < 0 else ''}10^{value.bit_length() * 0.30103:.0f}"
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    try:
        shape = getattr(value, "shape", ()) if hasattr(type(value), "shape") else ()
        if isinstance(shape, tuple) and shape:
            return f"a {kind} of shape {tuple(shape)}"
        text = repr(value)
        text = text if "\n" not in text else " ".join(text.split())
    except Exception:  # whatever a class of somebody's own does
        return f"a {kind}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def message_of(error: BaseException) -> str:
    """The text of an exception on one line, also of one whose class cannot give it."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return ""
