"""Values as texts for a line or a cell."""

from __future__ import annotations

import json
from typing import Any

LONGEST = 80  # characters of a value in a message


def short(value: Any) -> str:
    """A knob's value in few characters: 3 significant digits of a fraction, whole numbers in full."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and 100 <= abs(value) < 1e6 else f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value)


def shortened(value: object) -> str:
    """A value as Python writes it, for a message: cut where it is long; a whole number beyond 10^30 by its order."""
    if isinstance(value, int) and abs(value) > 10**30:
        return f"about 10^{value.bit_length() * 0.30103:.0f}"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
