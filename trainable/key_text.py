"""The text that a config's key is the hash of: canonical JSON of what acts, made of the texts of its parts.

Tricks at their neutral setting and fields that are null are not in it. It is what :func:`component_json.canonical_json`
says of a config without these; made part by part, since a campaign's ten thousand configs have most parts in common.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from typing import Any

from trainable.component import Component, name_on_disk
from trainable.component_fields import accepted, hints_of
from trainable.component_json import encode_as, without_null

NONE_KNOWN: Mapping[int, str] = {}
_LARGE = 1e300  # what is beyond it, or no number, is written by json


def fields_text(part: Component, known: Mapping[int, str] = NONE_KNOWN) -> dict[str, str]:
    """Field -> its text, for those that act, sorted. ``known`` has texts of parts that were written before, by id."""
    cls, found = type(part), dict[str, str]()
    for name, of_floats in _fields(cls):  # type: ignore[arg-type]  # as in component_fields.py
        if of_floats is None:
            found[name] = json.dumps(name_on_disk(cls))
            continue
        value = getattr(part, name)
        if value is None:
            continue
        kind = type(value)
        if kind is float and of_floats and -_LARGE < value < _LARGE:
            found[name] = float.__repr__(value + 0.0)  # so that -0.0 is 0.0, as in component_json.py
        elif kind is int and not of_floats:
            found[name] = int.__repr__(value)
        elif kind is bool:
            found[name] = "true" if value else "false"
        else:
            found[name] = known.get(id(value)) or _text(cls, name, value, known)
    return found


def joined(fields: Mapping[str, str]) -> str:
    """The text of an object with these fields, which are sorted."""
    return "{" + ",".join([f'"{name}":{text}' for name, text in fields.items()]) + "}"


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


@functools.cache
def _fields(cls: type[Component]) -> list[tuple[str, bool | None]]:
    """Each field, and whether its numbers are written as floats, sorted; None stands for the name of the class."""
    kinds = {field.name: accepted(hints_of(cls)[field.name]) for field in dataclasses.fields(cls)}
    of_floats = {name: float in kind and int not in kind for name, kind in kinds.items()}
    return sorted({**of_floats, "type": None}.items())


def _is_neutral(member: Any) -> bool:
    return isinstance(member, Component) and member == _neutral(type(member))  # type: ignore[arg-type]


@functools.cache
def _neutral(cls: type[Component]) -> Component | None:
    return cls.neutral()
