"""Values of a campaign as JSON for a page: texts that steer nobody's screen, numbers that are finite and short."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from terminal.escape import elided, escaped, visible
from terminal.short import decimals

DIGITS = 6  # significant ones of a number: more than any noise here leaves
LEAST_ALTERED = 15  # significant digits that every number has
LONGEST = 2000  # characters of a text: an error's, a config's value


def json_number(value: Any, digits: int = DIGITS) -> float | int | None:
    """The number with so many significant digits; None for what is null or not finite.

    One of DIGITS has more of them where it would otherwise be shown as another result than the text has it.
    """
    if value is None or value is pd.NA:
        return None
    found = float(value)
    if not math.isfinite(found):
        return None
    short = float(f"{found:.{digits}g}")
    if digits == DIGITS and decimals(short) != decimals(found):  # rounded twice, it would end on the other side
        short = float(f"{found:.{LEAST_ALTERED}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def json_numbers(values: Iterable[Any], digits: int = DIGITS) -> list[float | int | None]:
    """Each number as :func:`json_number` has it."""
    if digits != DIGITS and isinstance(values, np.ndarray) and values.dtype == np.float64 and np.isfinite(values).all():
        shortened = map(
            float, (f"%.{digits}g " * len(values) % tuple(values.tolist())).split()
        )  # at a third of the time
        return [int(short) if short.is_integer() and abs(short) < 1e15 else short for short in shortened]
    return [json_number(value, digits) for value in values]


def shown_text(value: Any) -> str:
    """A text on one line, printable throughout, its middle left out where it is long."""
    return elided(escaped(str(value)), LONGEST)


def shown_lines(value: Any) -> str:
    """Escape a text of several lines, which stay."""
    return elided(visible(str(value), keep="\n"), LONGEST)


def json_cell(value: Any) -> Any:
    """A value of a row or a config: null, true, a number or text; lists and objects as their JSON."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str):
        return shown_text(value)
    if isinstance(value, pd.Timestamp | datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    if pd.api.types.is_bool(value):
        return bool(value)
    if pd.api.types.is_number(value):
        return json_number(value, 10)
    return shown_text(json.dumps(value))
