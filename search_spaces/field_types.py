"""The fields of a space, its scales and its knobs, held to their types: a user's own are written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terminal.short import shortened


def check_types(owner: str, fields: Mapping[str, tuple[Any, Any, str]]) -> None:
    """Raise a ValueError for the first field (name -> value, types, words) that is of none of its types."""
    for name, (value, kinds, words) in fields.items():
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is int):
            raise ValueError(f"{owner} has the {name} {shortened(value)}, which must be {words}")


def check_member_types(owner: str, what: str, members: Any, kinds: Any, words: str) -> None:
    """Raise a ValueError for the first member that is of none of the types."""
    for member in members:
        if not isinstance(member, kinds):
            raise ValueError(f"{owner} has {shortened(member)} among its {what}, which must be {words}")
