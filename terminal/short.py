"""Values as texts for a line or a cell."""

from __future__ import annotations

import json
from typing import Any


def short(value: Any) -> str:
    """A knob's value in few characters: 3 significant digits of a fraction, whole numbers in full."""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and 100 <= abs(value) < 1e6 else f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value)
