"""Folders that are made to put something in: where nothing came of it, none of them is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those above it for the block; of those that were made, the ones still empty are removed."""
    made = []
    above = folder
    while not above.exists():
        made.append(above)
        above = above.parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for each in made:  # the deepest first
            try:
                each.rmdir()
            except OSError:  # something is in it, or another process was first
                break
