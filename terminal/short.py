"""Values as texts for a line or a cell."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

SMALL = 1e-3  # below it, 4 decimals are less than two digits
PLACES, MOST_PLACES = 4, 6  # decimals of a result, and of one in a column with smaller ones
TOO_SMALL = 9  # decimals beyond which a column is written with exponents
LONGEST = 80  # characters of a value in a message


def short(value: Any) -> str:
    """A knob's value in few characters: 3 significant digits of a fraction, whole numbers and thousands in full."""
    if isinstance(value, float):
        whole = (value.is_integer() and abs(value) >= 100) or abs(value) >= 999.5
        return f"{value:.0f}" if whole and abs(value) < 1e6 else f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value)


def as_written(value: object) -> str:
    """A setting as it is written behind ``--set``, in full: ``true``, ``false`` and ``null``, a text without quotes."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def decimals(value: float, places: int | None = None) -> str:
    """A result as people read it: to 4 decimals, and to 3 significant digits where it is below 0.001.

    ``places`` are the decimals of the column that it stands in, if it stands in one.
    """
    if places is not None:
        return f"{value:.{places}f}"
    return f"{value:.3g}" if 0 < abs(value) < SMALL else f"{value:.{PLACES}f}"


def signed(value: float, places: int | None = None) -> str:
    """A difference of results, with its sign, to as many digits as a result."""
    if places is not None:
        return f"{value:+.{places}f}"
    return f"{value:+.3g}" if 0 < abs(value) < SMALL else f"{value:+.{PLACES}f}"


def in_column(values: Iterable[Any], form: Callable[[float, int | None], str] = decimals) -> Callable[[Any], str]:
    """Return what formats the cells of a column alike: by as many decimals as its values take, ``-`` for null.

    That is 4; more where all values are below 0.001, so that the largest has 3 significant digits, and where one of
    them would be 0, so that it has one, but no more than 6 for that. ``form`` is :func:`decimals` or :func:`signed`.
    """
    sizes = [abs(float(value)) for value in values if _is_finite(value) and value != 0]
    largest, smallest = max(sizes, default=1.0), min(sizes, default=1.0)
    of_largest = PLACES if largest >= SMALL else 2 - math.floor(math.log10(largest))
    places = max(of_largest, min(-math.floor(math.log10(smallest)), MOST_PLACES))
    alike = places if places <= TOO_SMALL else None
    return lambda value: form(float(value), alike) if isinstance(value, Real) and value == value else "-"


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


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
