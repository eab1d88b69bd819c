"""Dotted paths into a tree of components: ``optimizer.matrix_lr``, ``hooks.WeightNoise.scale``.

A path addresses one field. The same string is used in search spaces, on the command line and as a column of the
results.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from terminal.article import a
from terminal.nearest import nearest
from terminal.number import number

from trainable.component import Component, component
from trainable.component_fields import field_of, kind_of, plain_types, typed

ComponentT = TypeVar("ComponentT", bound=Component)


def get_value(config: Component, path: str) -> Any:
    """The value at a dotted path. A member of a tuple of components is addressed by its class name."""
    node: Any = config
    for name in path.split("."):
        node = _step(node, name, path)
    return node


NOT_THERE = object()


def get_value_if_there(config: Component, path: str) -> Any:
    """The value at a dotted path as of :func:`get_value`, ten times as fast; NOT_THERE where it leads nowhere."""
    node: Any = config
    for name in path.split("."):
        if type(node) is not tuple:
            if not isinstance(node, Component) or name not in plain_types(type(node)):
                return NOT_THERE
            node = getattr(node, name)
        else:
            for member in node:
                if type(member).__name__ == name:
                    node = member
                    break
            else:
                return NOT_THERE
    return node


def with_value(config: ComponentT, path: str, value: Any) -> ComponentT:
    """A copy of ``config`` with the value at ``path`` replaced.

    A component-valued field takes a component or the class name of one (which then has its defaults). A component that
    a tuple lacks is put in at its neutral setting first, so that ``hooks.WeightNoise.scale=0.1`` is enough to switch
    a trick on: behind the others, or where its kind has an order (``Component.place_among``).
    """
    return with_values(config, {path: value})


def with_values(config: ComponentT, values: Mapping[str, Any]) -> ComponentT:
    """A copy of ``config`` with all of ``values`` applied at once: what they make together is checked, not the way.

    A parent is set before its children, so that ``schedule=Tidal`` may stand beside ``schedule.min_lr_frac=0.2``.
    """
    new: ComponentT = _with_fields(config, values, "")
    return new


def _with_fields(node: Any, values: Mapping[str, Any], at: str) -> Any:
    """``values`` are by path below ``node``, which stands at ``at`` (empty or ending in a point)."""
    if not isinstance(node, Component):
        raise ValueError(f"{at + next(iter(values))!r} goes below a plain value ({node!r})")
    new = {}
    for name, group in _by_head(values).items():
        if name not in plain_types(type(node)):
            field_of(type(node), name, at, () if at else leaves(node))  # raises: there is no such field
        whole = group.pop(None, getattr(node, name))
        new[name] = typed(type(node), name, whole) if whole is not getattr(node, name) else whole
        if group:
            new[name] = _below(type(node), name, new[name], group, at)
    return dataclasses.replace(node, **new)


def _below(cls: type[Component], name: str, current: Any, values: Mapping[str, Any], at: str) -> Any:
    """The value of a field with ``values`` set inside it."""
    kind, at = kind_of(cls, name), f"{at}{name}."
    if kind and isinstance(current, tuple):
        return _with_members(current, values, kind, at)
    if kind and current is None:  # an optional component, switched on by setting its fields
        only = component(kind, kind)
        return only(**{field_of(only, key, at).name: typed(only, key, value) for key, value in values.items()})
    return _with_fields(current, values, at)


def _with_members(members: tuple[Any, ...], values: Mapping[str, Any], kind: str, at: str) -> tuple[Any, ...]:
    by_name, order = {type(m).__name__: m for m in members}, [type(m).__name__ for m in members]
    for name, group in _by_head(values).items():
        if name not in by_name:
            order.insert(component(name, kind).place_among(order), name)
        if None in group:
            whole = group.pop(None)
            if type(whole) is not component(name, kind):
                raise ValueError(f"{at}{name} is {whole!r} but must be {a(name)}")
            by_name[name] = whole
        elif name not in by_name:
            by_name[name] = _neutral(component(name, kind))
        if group:
            by_name[name] = _with_fields(by_name[name], group, f"{at}{name}.")
    return tuple(by_name[name] for name in order)


def _by_head(values: Mapping[str, Any]) -> dict[str, dict[Any, Any]]:
    """``values`` grouped by the first name of their paths; what is left of a path is the key, None where nothing is."""
    groups: dict[str, dict[Any, Any]] = {}
    for path, value in values.items():
        name, point, rest = path.partition(".")
        groups.setdefault(name, {})[rest if point else None] = value
    return groups


def leaves(config: Component, prefix: str = "") -> dict[str, Any]:
    """Every path of a config with its plain value; a component's own path gives its class name, a tuple's the names."""
    found: dict[str, Any] = {}
    for f in dataclasses.fields(config):
        path, value = f"{prefix}{f.name}", getattr(config, f.name)
        if isinstance(value, Component):
            found[path] = type(value).__name__
            found |= leaves(value, path + ".")
        elif isinstance(value, tuple) and value and all(isinstance(v, Component) for v in value):
            found[path] = tuple(type(v).__name__ for v in value)
            for v in value:
                found |= leaves(v, f"{path}.{type(v).__name__}.")
        else:
            found[path] = value
    return found


def difference(base: Component, other: Component) -> dict[str, tuple[Any, Any]]:
    """Paths whose values differ, with both values; ``None`` stands for a path that one side does not have."""
    a, b = leaves(base), leaves(other)
    return {p: (a.get(p), b.get(p)) for p in sorted(a.keys() | b.keys()) if a.get(p) != b.get(p)}


def parse_value(text: str) -> Any:
    """A value typed on the command line: a number, else JSON where it parses (true, null, lists), else the text."""
    if (value := number(text)) is not None:
        return value
    lowered = {"True": "true", "False": "false", "None": "null"}.get(text, text)
    try:
        return json.loads(lowered, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError):  # the latter for brackets without end
        return text


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a value a run can have; give a finite number")


def _step(node: Any, name: str, path: str) -> Any:
    if isinstance(node, tuple):
        for member in node:
            if type(member).__name__ == name:
                return member
        names = [type(m).__name__ for m in node]
        raise ValueError(f"{path!r}: there is no {name!r} here; {nearest(name, names, 'names')}")
    if not isinstance(node, Component):
        raise ValueError(f"{path!r} goes below a plain value ({node!r})")
    field_of(type(node), name)
    return getattr(node, name)


def _neutral(cls: type[Component]) -> Component:
    neutral = cls.neutral()
    return cls() if neutral is None else neutral
