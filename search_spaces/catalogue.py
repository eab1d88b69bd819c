"""The campaigns by name: every folder here that has a ``space.py``, and the spaces of a user's own that are loaded."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from terminal.nearest import nearest, really_near
from trainable.own.source import files_to_take

from search_spaces.space import Space

_own: dict[str, Space] = {}


def names() -> list[str]:
    """The names of the spaces that are kept here, each with its recorded runs."""
    return sorted(p.parent.name for p in Path(__file__).parent.glob("*/space.py"))


def own_names() -> list[str]:
    """The names of a user's own spaces (own_space.py)."""
    return sorted(_own)


def add(space: Space) -> None:
    """Let :func:`load` find a space of a user's own; a ValueError for a name that it cannot have."""
    check_own_name(space.name)
    _own[space.name] = space


def check_own_name(name: str) -> None:
    """Raise a ValueError for a name that a space of a user's own cannot have: it becomes a part of names of folders."""
    if name in names():
        raise ValueError(f"the space {name!r} is there already: give yours another name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", name):
        raise ValueError(f"the space's name is {name!r} but must be of letters, digits, '_', '.' and '-', at most 100")


def load(name: str) -> Space:
    """The space called ``name``; a ValueError with the nearest name, or file, where there is none."""
    if name in _own:
        return _own[name]
    if name not in names():
        known = [*names(), *_own, *files_to_take(Path())]
        close = really_near(name, known)
        valid = nearest(name, names(), "spaces") if close is None else f"did you mean {close!r}?"
        raise ValueError(f"unknown space {name!r}: {valid}")
    space: Space = importlib.import_module(f"search_spaces.{name}.space").SPACE
    assert space.name == name, f"the space in folder {name} calls itself {space.name}"
    return space


def is_known(space: Space) -> bool:
    """Tell whether ``space`` is the one that its name finds here, or a part of it: the same question and scales."""
    if space.name not in names() and space.name not in _own:
        return False
    known = load(space.name)
    return (known.question, known.scales) == (space.question, space.scales)
