"""A function as a text that is the same for the same function in every process: its code where no source is at hand,
and the values that it holds beside its source.

Two functions with one source may train differently: the arguments of a ``functools.partial``, the fields of an object
that is called, what a function that another one made has taken over from it, and defaults.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import partial
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

MOST_VALUES = 10_000  # that are looked at
DEEPEST = 12  # values within values


def held_by(train: Any) -> str:
    """The values that a train function holds, as comments that follow its source; empty where it holds none."""
    found = _Outline()
    lines = [f"# {name} = {found.of(value)}" for name, value in _held(train)]
    return "".join(f"\n{line}" for line in lines)


def code_of(code: CodeType) -> str:
    """Code without a source. Sets among its constants are sorted: their own order is another in each process."""
    consts = [code_of(const) if isinstance(const, CodeType) else _constant(const) for const in code.co_consts]
    return json.dumps([code.co_code.hex(), code.co_names, code.co_varnames, consts])


def _constant(value: Any) -> str:
    if isinstance(value, frozenset):
        return f"frozenset({sorted(map(_constant, value))})"
    return f"({', '.join(map(_constant, value))})" if isinstance(value, tuple) else repr(value)


def _held(train: Any) -> list[tuple[str, Any]]:
    """The values of a callable beside its source, with a name each."""
    if isinstance(train, partial):
        given = [(f"argument {place}", value) for place, value in enumerate(train.args)]
        return [*_held(train.func), *given, *sorted(train.keywords.items())]
    if isinstance(train, MethodType):
        return [("self", train.__self__), *_held(train.__func__)]
    if isinstance(train, FunctionType):
        defaults = [("default", value) for value in (*(train.__defaults__ or ()),)]
        return [*defaults, *sorted((train.__kwdefaults__ or {}).items()), *_taken_over(train)]
    fields = _fields(train)
    return [("self", train)] if fields else []


def _taken_over(function: FunctionType) -> list[tuple[str, Any]]:
    """List a function's closure variables with their values; a name that is not bound yet is left out."""
    found = []
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found.append((name, cell.cell_contents))
        except ValueError:
            continue
    return found


def _fields(value: Any) -> dict[str, Any]:
    """The fields of an object, by name."""
    slots = {name for cls in type(value).__mro__ for name in _names(cls.__dict__.get("__slots__", ()))}
    found = {name: getattr(value, name) for name in sorted(slots) if hasattr(value, name)}
    return {**found, **getattr(value, "__dict__", {})}


def _names(slots: Any) -> Iterable[str]:
    return () if slots is None else (slots,) if isinstance(slots, str) else tuple(slots)


class _Outline:
    """Texts of values: what is seen a second time, or too deep, or too much, is written by its type alone."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.left = MOST_VALUES

    def of(self, value: Any, depth: int = 0) -> str:
        if value is None or type(value) in (bool, int, float, complex, str, bytes):
            return repr(value)
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        self.left -= 1
        if id(value) in self.seen or depth > DEEPEST or self.left < 0:
            return kind
        self.seen.add(id(value))
        try:
            return self._within(value, kind, depth + 1)
        except Exception:  # whatever a class of somebody's own does: then its type stands for it
            return kind
        finally:
            self.seen.discard(id(value))

    def _within(self, value: Any, kind: str, depth: int) -> str:
        if isinstance(value, Enum | PurePath):
            return f"{kind} {value!s}"
        if isinstance(value, ModuleType):
            return f"module {value.__name__}"
        if isinstance(value, type):
            return f"class {value.__module__}.{value.__qualname__}"
        if isinstance(value, Mapping):
            pairs = [f"{self.of(name, depth)}: {self.of(each, depth)}" for name, each in value.items()]
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(self.of(each, depth) for each in value)}]"
        if isinstance(value, set | frozenset):
            return f"{{{', '.join(sorted(self.of(each, depth) for each in value))}}}"
        if isinstance(value, partial | MethodType | FunctionType):
            return self._function(value, depth)
        if hasattr(value, "tobytes") and hasattr(value, "dtype"):  # an array
            return f"{kind} {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
        fields = [f"{name}={self.of(each, depth)}" for name, each in _fields(value).items()]
        return f"{kind}({', '.join(fields)})"

    def _function(self, value: Any, depth: int) -> str:
        inner = value
        while isinstance(inner, partial | MethodType):
            inner = inner.func if isinstance(inner, partial) else inner.__func__
        try:
            source = inspect.getsource(inner)
        except (OSError, TypeError):
            code = getattr(inner, "__code__", None)
            source = getattr(inner, "__qualname__", "") if code is None else code_of(code)
        held = [f"{name}={self.of(each, depth)}" for name, each in _held(value)]
        return f"function {hashlib.sha256(source.encode()).hexdigest()[:16]}({', '.join(held)})"
