"""The config core: frozen dataclasses, dotted paths, JSON round trip.

A *component* is a frozen dataclass whose class name is its name on disk. A *path* such as ``optimizer.matrix_lr`` or
``hooks.WeightNoise.scale`` addresses one field of a tree of components; the same string is used in search spaces, on
the command line and as a column of the results. Every mistake is a ``ValueError`` that names the value, the rule and
the nearest valid name.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from terminal.nearest import closest, nearest
from terminal.number import number

from trainable.ranges import outside, ranges

_REGISTRY: dict[str, type[Component]] = {}
SOURCES: dict[str, str] = {}  # module of a user's own -> fingerprint of its source (own_modules.py)


class OtherSourceError(ValueError):
    """A component is of a source of the user's own that is not the one loaded here."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """Base of everything that stands in a config. Subclasses are frozen keyword-only dataclasses with unique names."""

    kind: ClassVar[str] = ""  # "schedule", "hook", ...: set by the abstract class of each kind

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        known = _REGISTRY.get(cls.__name__)
        if known is not None and known.__module__ != cls.__module__:
            raise ValueError(f"two components are called {cls.__name__}: the other is in {known.__module__}")
        _REGISTRY[cls.__name__] = cls

    @classmethod
    def neutral(cls) -> Self | None:
        """The setting under which a run is bit-identical to one without this component; None where there is none."""
        return None

    @classmethod
    def example(cls) -> Self:
        """An active setting for the contract tests; the defaults unless those are neutral."""
        return cls()

    def __post_init__(self) -> None:
        for name, within in ranges(type(self)).items():  # type: ignore[arg-type]  # as in _hints
            self.check(not outside(getattr(self, name), within), name, str(within))
        self.validate()

    def validate(self) -> None:
        """Raise a ValueError unless the fields, each of them in its range, go together."""

    def check(self, rule: bool, field: str, must: str) -> None:
        """Raise a ValueError that names the class, the field, its value and the rule, unless ``rule`` holds."""
        if not rule:
            raise ValueError(f"{type(self).__name__}.{field} is {_short(getattr(self, field))} but must be {must}")


def _short(value: Any) -> str:
    """The value as Python writes it, cut where it is long; a whole number beyond 10^30 by its order."""
    if isinstance(value, int) and abs(value) > 10**30:
        return f"about 10^{value.bit_length() * 0.30103:.0f}"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def components(kind: str | None = None) -> list[type[Component]]:
    """All concrete components (of a kind), by name: what the contract tests run over."""
    concrete = [c for _, c in sorted(_REGISTRY.items()) if not c.__dict__.get("abstract", False)]
    return concrete if kind is None else [c for c in concrete if c.kind == kind]


def component(name: str, kind: str) -> type[Component]:
    """The component class called ``name``; a ValueError with the nearest name where there is none of that kind."""
    found = {c.__name__: c for c in components(kind)}
    if name not in found:
        raise ValueError(f"{name!r} is not a {kind}: {nearest(name, found, kind + 's')}")
    return found[name]


def without_neutral(config: Any) -> Any:
    """``config`` without the tricks at their neutral setting, in every tuple of components below it."""
    if isinstance(config, tuple):
        return tuple(without_neutral(c) for c in config if not (isinstance(c, Component) and c == type(c).neutral()))
    if not isinstance(config, Component):
        return config
    fields = {f.name: without_neutral(getattr(config, f.name)) for f in dataclasses.fields(config)}
    return dataclasses.replace(config, **fields)


# --- JSON -----------------------------------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """Plain JSON data of a component tree; a component becomes ``{"type": its name on disk, field: value, ...}``."""
    if isinstance(value, Component):
        hints = _hints(type(value))
        fields = {f.name: _encode_as(hints[f.name], getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": name_on_disk(type(value)), **fields}
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    return value


def name_on_disk(cls: type[Component]) -> str:
    """The class name, of a user's own file as ``Sawtooth@1f2e3d4c5b6a7988``: a changed source has another key."""
    return "@".join(filter(None, (cls.__name__, SOURCES.get(cls.__module__))))


def _encode_as(hint: Any, value: Any) -> Any:
    """Equal values have one text: a float field that was given 1 is written as 1.0, and -0.0 as 0.0."""
    accepted = _accepted(hint)
    if float in accepted and not isinstance(value, bool) and isinstance(value, int | float):
        return value if int in accepted and isinstance(value, int) else float(value) + 0.0
    return encode(value)


def decode(data: Any) -> Any:
    """The inverse of :func:`encode`. Unknown types and fields are ValueErrors; missing fields take their defaults."""
    if isinstance(data, Mapping):
        cls = _of_type(data.get("type"))
        values = {k: decode(v) for k, v in data.items() if k != "type"}
        for key in values:
            _field(cls, key)
        return cls(**{k: _typed(cls, k, v) for k, v in values.items()})
    if isinstance(data, list):
        return tuple(decode(v) for v in data)
    return data


def _of_type(name: Any) -> type[Component]:
    """The class of a name on disk."""
    known = {c.__name__: c for c in components()}
    short, _, source = name.partition("@") if isinstance(name, str) else (name, "", "")
    if source and short not in known:
        raise OtherSourceError(f"{short} is of a file of the user's own, which is not given here (--import FILE)")
    if not isinstance(short, str) or short not in known:
        raise ValueError(f"unknown component type {name!r}: {nearest(str(name), known, 'types')}")
    if (here := SOURCES.get(known[short].__module__, "")) != source:
        raise OtherSourceError(f"{short} is of another source: {source or 'none'} there, {here or 'none'} here")
    return known[short]


def canonical_json(value: Any) -> str:
    """One text per value: sorted keys, no spaces, no NaN; floats that are whole numbers keep their point."""
    return json.dumps(encode(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def fingerprint(value: Any) -> str:
    """The first 16 hex digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


# --- dotted paths ---------------------------------------------------------------------------------------------------


ComponentT = TypeVar("ComponentT", bound=Component)


def get_value(config: Component, path: str) -> Any:
    """The value at a dotted path. A member of a tuple of components is addressed by its class name."""
    node: Any = config
    for name in path.split("."):
        node = _step(node, name, path)
    return node


def with_value(config: ComponentT, path: str, value: Any) -> ComponentT:
    """A copy of ``config`` with the value at ``path`` replaced.

    A component-valued field takes a component or the class name of one (which then has its defaults). A component that
    a tuple lacks is appended at its neutral setting first, so that ``hooks.WeightNoise.scale=0.1`` is enough to switch
    a trick on.
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
        _field(type(node), name, at, () if at else leaves(node))
        whole = group.pop(None, getattr(node, name))
        new[name] = _typed(type(node), name, whole) if whole is not getattr(node, name) else whole
        if group:
            new[name] = _below(type(node), name, new[name], group, at)
    return dataclasses.replace(node, **new)


def _below(cls: type[Component], name: str, current: Any, values: Mapping[str, Any], at: str) -> Any:
    """The value of a field with ``values`` set inside it."""
    kind, at = _kind_of(cls, name), f"{at}{name}."
    if kind and isinstance(current, tuple):
        return _with_members(current, values, kind, at)
    if kind and current is None:  # an optional component, switched on by setting its fields
        only = component(kind, kind)
        return only(**{_field(only, key, at).name: _typed(only, key, value) for key, value in values.items()})
    return _with_fields(current, values, at)


def _with_members(members: tuple[Any, ...], values: Mapping[str, Any], kind: str, at: str) -> tuple[Any, ...]:
    by_name = {type(m).__name__: m for m in members}
    for name, group in _by_head(values).items():
        if None in group:
            whole = group.pop(None)
            if type(whole) is not component(name, kind):
                raise ValueError(f"{at}{name} is {whole!r} but must be a {name}")
            by_name[name] = whole
        elif name not in by_name:
            by_name[name] = _neutral(component(name, kind))
        if group:
            by_name[name] = _with_fields(by_name[name], group, f"{at}{name}.")
    return tuple(by_name.values())


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
    _field(type(node), name)
    return getattr(node, name)


def _field(cls: type[Component], name: str, at: str = "", elsewhere: Iterable[str] = ()) -> dataclasses.Field[Any]:
    """The field; a ValueError names the nearest path, of those ``elsewhere`` one that ends in the name."""
    fields = {f.name: f for f in dataclasses.fields(cls)}
    if name not in fields:
        close, ending = closest(name, list(fields)), [path for path in elsewhere if path.endswith(f".{name}")]
        meant = ending[0] if ending else None if close is None else at + close
        hint = nearest(name, fields, "knobs") if meant is None else f"did you mean {meant!r}?"
        raise ValueError(f"{cls.__name__} has no knob {name!r}: {hint}")
    return fields[name]


def _neutral(cls: type[Component]) -> Component:
    neutral = cls.neutral()
    return cls() if neutral is None else neutral


def _hints(cls: type[Component]) -> dict[str, Any]:
    return _cached_hints(cls)  # type: ignore[arg-type]  # mypy takes the hash of instances for that of their class


_cached_hints = functools.cache(typing.get_type_hints)  # evaluating annotations is slow


def _accepted(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type that a hint is."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _kind_of(cls: type[Component], name: str) -> str | None:
    """The kind of component that a field holds (itself or in a tuple), or None for a plain field."""
    hint = _hints(cls)[name]
    for inner in (hint, *typing.get_args(hint)):
        if isinstance(inner, type) and issubclass(inner, Component):
            return inner.kind or inner.__name__
    return None


def _typed(cls: type[Component], name: str, value: Any) -> Any:
    """``value`` as the type the field declares, or a ValueError.

    Only exact conversions: int to float, a whole float to int, a list to a tuple, the name of a component to it.
    """
    accepted = _accepted(_hints(cls)[name])
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{cls.__name__}.{name} is {value!r} but must be finite")
    for hint in accepted:
        converted = _converted(hint, value)
        if converted is not _MISFIT:
            return converted
    wanted = " or ".join(_in_words(hint) for hint in accepted)
    raise ValueError(f"{cls.__name__}.{name} is {_short(value)} but must be {wanted}")


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


def _in_words(hint: Any) -> str:
    if hint is type(None):
        return "null"
    name = str(getattr(hint, "__name__", hint))
    if typing.get_origin(hint) is tuple:
        return f"a list of {' and '.join(_in_words(h) for h in typing.get_args(hint) if h is not Ellipsis)}"
    return name
