"""Texts of a campaign in pictures that matplotlib draws: shown as they are, and none too long."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from terminal.escape import elided, escaped

LONGEST = 60  # characters of a label


def literal(text: Any, longest: int = LONGEST) -> str:
    """Escape a text so that it is one line, begins no formula and is not too long."""
    return elided(escaped(str(text)), max(longest, 41)).replace("$", r"\$")


@contextmanager
def any_script() -> Iterator[None]:
    """Draw boxes without a warning for letters that matplotlib's own font lacks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield
