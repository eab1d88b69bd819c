"""Figures that a section returns, and the isolation of its parts: one that fails says why, and the others go on."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, ParamSpec

Figures = dict[str, Any]  # of one section, as they stand in the JSON
Arguments = ParamSpec("Arguments")

LONGEST = 300  # characters of an error


def attempt(part: Callable[Arguments, Any], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Any:
    """The figures of a part; of one that raises, its error in their place."""
    try:
        return part(*args, **kwargs)
    except Exception as error:
        return failure(error)


def failure(error: BaseException) -> Figures:
    """The first line of an error, and the last line of code outside installed packages that it passed."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    at = f"{ours[-1].filename.rsplit('/', 2)[-1]}:{ours[-1].lineno}" if ours else ""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return {"failed": f"{type(error).__name__}: {(lines or [''])[0][:LONGEST]}", "at": at}


def short(value: float) -> float:
    """A number with three significant digits."""
    return float(f"{value:.3g}")
