"""Components as JSON and back, one text per value, and the fingerprint of that text."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from terminal.nearest import nearest
from terminal.short import shortened

from trainable.component import SOURCES, Component, OtherSourceError, components, concrete, name_on_disk
from trainable.component_fields import accepted, field_of, hints_of, plain_types, typed

_NESTED = (dict, list)


def encode(value: Any) -> Any:
    """Plain JSON data of a component tree; a component becomes ``{"type": its name on disk, field: value, ...}``."""
    if isinstance(value, Component):
        hints = hints_of(type(value))
        fields = {f.name: encode_as(hints[f.name], getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": name_on_disk(type(value)), **fields}
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    return value


def encode_as(hint: Any, value: Any) -> Any:
    """Equal values have one text: a float field that was given 1 is written as 1.0, and -0.0 as 0.0."""
    members = accepted(hint)
    if float in members and not isinstance(value, bool) and isinstance(value, int | float):
        return value if int in members and isinstance(value, int) else float(value) + 0.0
    return encode(value)


def without_null(data: Any) -> Any:
    """``data`` without the fields that are null; a null in a list keeps its place."""
    if isinstance(data, Mapping):
        return {name: without_null(value) for name, value in data.items() if value is not None}
    return [without_null(value) for value in data] if isinstance(data, list) else data


def what_acts(data: Any) -> Any:
    """``data`` without what changes no run: null fields, and tricks in a list that are at their neutral setting.

    Of a config of an earlier version: fields that it did not have yet are not filled in.
    """
    if isinstance(data, Mapping):
        return {name: what_acts(value) for name, value in data.items() if value is not None}
    return [what_acts(member) for member in data if not _is_neutral(member)] if isinstance(data, list) else data


def _is_neutral(member: Any) -> bool:
    """Tell whether a member of a list is a component just as its neutral setting is written."""
    if not isinstance(member, Mapping):
        return False
    kind = concrete(member.get("type"))
    neutral = None if kind is None else kind.neutral()
    return neutral is not None and without_null(member) == without_null(encode(neutral))


def decode(data: Any) -> Any:
    """The inverse of :func:`encode`. Unknown types and fields are ValueErrors; missing fields take their defaults."""
    return decoded(data, decode, typed)


def decoded(data: Any, member: Callable[[Any], Any], fit: Callable[[type[Component], str, Any], Any]) -> Any:
    """``data`` as a component or a tuple. ``member`` decodes its lists and objects, ``fit`` is as :func:`typed`."""
    if isinstance(data, list):
        return tuple([member(value) if type(value) in _NESTED else value for value in data])
    if not isinstance(data, Mapping):
        return data
    cls, values = _of_type(data.get("type")), {}
    plain = plain_types(cls)
    for name, value in data.items():
        kind = type(value)
        if name not in plain:
            if name != "type":
                field_of(cls, name)  # raises: there is no such field
        elif kind in plain[name] and (kind is not float or isfinite(value)):
            values[name] = value
        else:
            values[name] = fit(cls, name, member(value) if kind in _NESTED else value)
    return cls(**values)


def _of_type(name: Any) -> type[Component]:
    """The class of a name on disk."""
    if not isinstance(name, str):
        raise ValueError(
            "a component has no type" if name is None else f"a component's type is {shortened(name)}, no name"
        )
    short, _, source = name.partition("@")
    if (known := concrete(short)) is None and source:
        raise OtherSourceError(f"{short} is of a file of the user's own, which is not given here (--import FILE)")
    if known is None:
        names = [c.__name__ for c in components()]
        raise ValueError(f"unknown component type {name!r}: {nearest(name, names, 'types')}")
    if (here := SOURCES.get(known.__module__, "")) != source:
        raise OtherSourceError(f"{short} is of another source: {source or 'none'} there, {here or 'none'} here")
    return known


def canonical_json(value: Any) -> str:
    """One text per value: sorted keys, no spaces, no NaN; floats that are whole numbers keep their point."""
    return json.dumps(encode(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def fingerprint(value: Any) -> str:
    """The first 16 hex digits of the SHA-256 of the canonical JSON."""
    return hashed(canonical_json(value))


def hashed(text: str) -> str:
    """The first 16 hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
