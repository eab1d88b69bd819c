"""Switch to the formulas that GPUs and compiled graphs are given, on a CPU: to count their tensors, or to time them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_wanted: ContextVar[bool] = ContextVar("plain formulas", default=False)


def are_wanted() -> bool:
    """Tell whether the block of a ``plain_formulas`` is being run."""
    return _wanted.get()


@contextmanager
def plain_formulas() -> Iterator[None]:
    """Compute without what is written out for CPUs alone (gradients.py, small_heads.py), within the block."""
    before = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(before)
