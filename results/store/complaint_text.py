"""Complaints of pydantic about a file of ours, in one line and in the words of the settings."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from terminal.type_words import as_set, one_of_type

_KINDS: dict[str, type] = {  # a complaint about a type -> that type
    "int_type": int,
    "float_type": float,
    "bool_type": bool,
    "string_type": str,
    "dict_type": dict,
    "list_type": list,
}


def complaint_in_words(error: ValidationError) -> str:
    """Describe the first complaint in one line: the field, its value and the rule."""
    first = error.errors(include_url=False, include_context=False)[0]
    parts = [str(part) for part in first["loc"] if isinstance(part, int) or not _is_branch(part)]
    name = ".".join(part if len(part) <= 60 else f"{part[:57]}..." for part in parts)
    said = first["msg"]
    if first["type"] == "value_error":  # of our own, which names what it is about
        return f"{name}: {said.removeprefix('Value error, ')}" if name else said.removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"it holds no {name!r}"
    if first["type"] == "extra_forbidden":
        return f"{name} does not exist"
    return f"{name} is {as_set(first['input'])} but must {rule_of(first)}"


def rule_of(complaint: Any) -> str:
    """Describe what a value must do: ``be a whole number``, ``be less than 5``."""
    if (kind := _KINDS.get(complaint["type"])) is not None:
        return f"be {one_of_type(kind)}"
    said: str = complaint["msg"]
    return said.partition(" should ")[2] or said


def _is_branch(part: object) -> bool:
    """Tell whether a part of a place is pydantic's name of a union's branch, which means nothing to a user."""
    return isinstance(part, str) and ("[" in part or part in ("str", "int", "float", "bool", "none"))
