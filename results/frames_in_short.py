"""An answer of several data frames on one line, as Python shows it: its frames with their numbers of rows."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def short_of_frames(answer: Any, about: str) -> str:
    """Name the answer (a dataclass), ``about`` it, and each frame with its rows."""
    import pandas as pd

    cells = ((field.name, getattr(answer, field.name)) for field in fields(answer))
    frames = ", ".join(f"{name} ({len(cell):,})" for name, cell in cells if isinstance(cell, pd.DataFrame))
    return f"<{type(answer).__name__}: {about}; rows of its frames: {frames}>"
