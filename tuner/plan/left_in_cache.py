"""Last line of a plan: nothing was trained, and what looking at the data has left in the cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from terminal.console import Console
from trainable.data.preparation import cache_folder
from tuner.command import Planning


@contextmanager
def ending_a_plan(console: Console, planning: Planning | None) -> Iterator[None]:
    """Print it at the end of the block, which makes a plan; nothing where it makes none, or is refused."""
    before = _cached()
    yield
    if planning is None:
        return
    if more := sorted(_cached() - before):
        console.print(f"dry run: nothing was trained; what was prepared stays in {cache_folder()}: {', '.join(more)}")
    else:
        console.print("dry run: nothing was trained or written")


def _cached() -> set[str]:
    """Names in the cache; none where it is not there."""
    try:
        return set(os.listdir(cache_folder()))
    except OSError:
        return set()
