"""The text that a config's key is the hash of: canonical JSON of what acts, made of the texts of its parts.

Tricks at their neutral setting and fields that are null are not in it. It is what :func:`component_json.canonical_json`
says of a config without these; made part by part, since a campaign's ten thousand configs have most parts in common.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from typing import Any

from trainable.component import Component, name_on_disk
from trainable.component_fields import accepted, hints_of
from trainable.component_json import encode_as, without_null

NONE_KNOWN: Mapping[int, str] = {}


def fields_text(part: Component, known: Mapping[int, str] = NONE_KNOWN) -> dict[str, str]:
    """Field -> its text, for those that act. ``known`` has the texts of parts that were written before, by their id."""
    cls = type(part)
    found = {"type": json.dumps(name_on_disk(cls))}
    for name, of_floats in _fields(cls):  # type: ignore[arg-type]  # as in component_fields.py
        if (value := getattr(part, name)) is not None:
            found[name] = _plain(value, of_floats) or known.get(id(value)) or _text(cls, name, value, known)
    return found


def joined(fields: Mapping[str, str]) -> str:
    """The text of an object with these fields."""
    return "{" + ",".join([f'"{name}":{text}' for name, text in sorted(fields.items())]) + "}"


def part_text(value: Any, known: Mapping[int, str] = NONE_KNOWN) -> str:
    """The text of a part: a component or a list."""
    if (text := known.get(id(value))) is not None:
        return text
    if isinstance(value, Component):
        return joined(fields_text(value, known))
    if isinstance(value, tuple):
        return "[" + ",".join([part_text(member, known) for member in value if not _is_neutral(member)]) + "]"
    return json.dumps(without_null(encode_as(Any, value)), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _text(cls: type[Component], name: str, value: Any, known: Mapping[int, str]) -> str:
    return part_text(value if isinstance(value, Component | tuple) else encode_as(hints_of(cls)[name], value), known)


def _plain(value: Any, of_floats: bool) -> str:
    """The text of a number or a flag; empty for what is to be looked at closely."""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is float and of_floats and math.isfinite(value):
        return float.__repr__(value + 0.0)  # so that -0.0 is 0.0, as in component_json.py
    return int.__repr__(value) if type(value) is int and not of_floats else ""


@functools.cache
def _fields(cls: type[Component]) -> list[tuple[str, bool]]:
    """Each field, and whether its numbers are written as floats."""
    kinds = {field.name: accepted(hints_of(cls)[field.name]) for field in dataclasses.fields(cls)}
    return [(name, float in kind and int not in kind) for name, kind in kinds.items()]


def _is_neutral(member: Any) -> bool:
    return isinstance(member, Component) and member == _neutral(type(member))  # type: ignore[arg-type]


@functools.cache
def _neutral(cls: type[Component]) -> Component | None:
    return cls.neutral()
