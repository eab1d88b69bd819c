"""The fields of a component: their types by its annotations, and values as these types where that changes nothing."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Iterable
from typing import Any

from terminal.article import a
from terminal.nearest import closest, nearest
from terminal.type_words import TYPE_WORDS, as_set, one_of_type

from trainable.component import Component, component

NOT_FINITE = ("nan", "inf", "infinity")  # texts that other programs take for numbers


def field_of(cls: type[Component], name: str, at: str = "", elsewhere: Iterable[str] = ()) -> dataclasses.Field[Any]:
    """The field; a ValueError names the nearest path, of those ``elsewhere`` one that ends in the name."""
    fields = _fields_of(cls)  # type: ignore[arg-type]  # as of hints_of
    if name not in fields:
        close, ending = closest(name, list(fields)), [path for path in elsewhere if path.endswith(f".{name}")]
        meant = ending[0] if ending else None if close is None else at + close
        hint = nearest(name, fields, "knobs") if meant is None else f"did you mean {meant!r}?"
        raise ValueError(f"{cls.__name__} has no knob {name!r}: {hint}")
    return fields[name]


@functools.cache  # a config has a hundred fields, and a campaign thousands of configs
def _fields_of(cls: type[Component]) -> dict[str, dataclasses.Field[Any]]:
    return {f.name: f for f in dataclasses.fields(cls)}


def hints_of(cls: type[Component]) -> dict[str, Any]:
    return _cached_hints(cls)  # type: ignore[arg-type]  # mypy takes the hash of instances for that of their class


_cached_hints = functools.cache(typing.get_type_hints)  # evaluating annotations is slow


def accepted(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type that a hint is."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def kind_of(cls: type[Component], name: str) -> str | None:
    """The kind of component that a field holds (itself or in a tuple), or None for a plain field."""
    hint = hints_of(cls)[name]
    for inner in (hint, *typing.get_args(hint)):
        if isinstance(inner, type) and issubclass(inner, Component):
            return inner.kind or inner.__name__
    return None


def typed(cls: type[Component], name: str, value: Any) -> Any:
    """``value`` as the type the field declares, or a ValueError.

    Only exact conversions: int to float, a whole float to int, a list to a tuple, the name of a component to it.
    """
    hints = accepted(hints_of(cls)[name])
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{cls.__name__}.{name} is {value!r} but must be finite")
    for hint in hints:
        converted = _converted(hint, value)
        if converted is not _MISFIT:
            return converted
    if isinstance(value, str) and value.lower().lstrip("+-") in NOT_FINITE and {int, float} & set(hints):
        raise ValueError(f"{cls.__name__}.{name} is {value} but must be finite")
    wanted = " or ".join(_wanted(hint) for hint in hints)
    raise ValueError(f"{cls.__name__}.{name} is {as_set(value)} but must be {wanted}{_meant(cls, name, value)}")


def plain_types(cls: type[Component]) -> dict[str, frozenset[type]]:
    """Field -> the types of numbers, flags and null of which each finite value stays as it is under :func:`typed`."""
    return _cached_plain_types(cls)  # type: ignore[arg-type]  # as of hints_of


@functools.cache
def _cached_plain_types(cls: type[Component]) -> dict[str, frozenset[type]]:
    samples: tuple[Any, ...] = (True, 1, 1.0, None)
    return {
        field.name: frozenset(type(value) for value in samples if _stays(accepted(hints_of(cls)[field.name]), value))
        for field in dataclasses.fields(cls)
    }


def _stays(hints: tuple[Any, ...], value: Any) -> bool:
    found = next((new for hint in hints if (new := _converted(hint, value)) is not _MISFIT), _MISFIT)
    return type(found) is type(value)


def _meant(cls: type[Component], name: str, value: Any) -> str:
    """The knob of a similar name that takes such a value, where one does: ``num_layers`` for ``layers``."""
    others = [other for other in (f.name for f in dataclasses.fields(cls)) if name in other.split("_")]
    takes = [o for o in others if any(_converted(h, value) is not _MISFIT for h in accepted(hints_of(cls)[o]))]
    return f": did you mean {takes[0]!r}?" if takes else ""


_MISFIT = object()  # None is a value


def _converted(hint: Any, value: Any) -> Any:
    if typing.get_origin(hint) is tuple:
        return _converted_tuple(typing.get_args(hint), value)
    if hint is type(None):
        return None if value is None else _MISFIT
    if hint in (int, float):
        return _number(hint, value)
    if not isinstance(hint, type):
        return _MISFIT
    if issubclass(hint, Component) and isinstance(value, str):
        return component(value, hint.kind or hint.__name__)()
    return value if isinstance(value, hint) else _MISFIT


def _number(hint: type[int] | type[float], value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _MISFIT
    if hint is int:  # 1e6 is how a large integer is typed on a command line
        return int(value) if isinstance(value, int) or value.is_integer() else _MISFIT
    try:
        return float(value) if math.isfinite(value) else _MISFIT
    except OverflowError:  # an integer beyond the largest float
        return _MISFIT


def _converted_tuple(hints: tuple[Any, ...], value: Any) -> Any:
    if not isinstance(value, tuple | list):
        return _MISFIT
    if hints[-1] is Ellipsis:
        hints = (hints[0],) * len(value)
    if len(hints) != len(value):
        return _MISFIT
    members = tuple(_converted(hint, v) for hint, v in zip(hints, value, strict=True))
    return _MISFIT if any(m is _MISFIT for m in members) else members


def words_of_type(hint: Any) -> str:
    """One member of a union of types in words: ``whole number``, ``list of hooks``, ``Budget``."""
    if typing.get_origin(hint) is tuple:
        first, *others = typing.get_args(hint)
        if others != [Ellipsis]:
            return f"list of {' and '.join(_wanted(member) for member in (first, *others))}"
        return f"list of {words_of_type(first)}s"
    if hint in TYPE_WORDS:
        return TYPE_WORDS[hint]
    if not (isinstance(hint, type) and issubclass(hint, Component)):  # in a file of the user's own
        return str(getattr(hint, "__name__", hint))
    return str(hint.kind if hint.__dict__.get("abstract", False) else hint.__name__)


def _wanted(hint: Any) -> str:
    return one_of_type(hint) if hint in TYPE_WORDS else a(words_of_type(hint))
