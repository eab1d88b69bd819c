"""The campaigns by name: every folder here that has a ``space.py``."""

from __future__ import annotations

import importlib
from pathlib import Path

from terminal.nearest import nearest

from search_spaces.space import Space


def names() -> list[str]:
    """The names that ``--space`` takes."""
    return sorted(p.parent.name for p in Path(__file__).parent.glob("*/space.py"))


def load(name: str) -> Space:
    """The space called ``name``; a ValueError with the nearest name where there is none."""
    if name not in names():
        raise ValueError(f"unknown space {name!r}: {nearest(name, names(), 'spaces')}")
    space: Space = importlib.import_module(f"search_spaces.{name}.space").SPACE
    assert space.name == name, f"the space in folder {name} calls itself {space.name}"
    return space


def is_known(space: Space) -> bool:
    """Whether ``space`` is the one that its name finds here, or a part of it: the same question and scales."""
    if space.name not in names():
        return False
    known = load(space.name)
    return (known.question, known.scales) == (space.question, space.scales)
