"""The registry of components: frozen dataclasses whose class names are their names on disk.

Their JSON stands in ``component_json.py``, dotted paths to their fields in ``component_paths.py``. Every mistake is a
``ValueError`` that names the value, the rule and the nearest valid name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from terminal.article import a
from terminal.nearest import nearest
from terminal.type_words import as_set

from trainable.ranges import outside, ranges

_REGISTRY: dict[str, type[Component]] = {}
SOURCES: dict[str, str] = {}  # module of a user's own -> fingerprint of its source (own/modules.py)


class OtherSourceError(ValueError):
    """A component is of a source of the user's own that is not the one loaded here."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """Base of everything that stands in a config. Subclasses are frozen keyword-only dataclasses with unique names."""

    kind: ClassVar[str] = ""  # "schedule", "hook", ...: set by the abstract class of each kind
    switched_by: ClassVar[Mapping[str, str]] = {}  # field -> the field of a number which at 0 leaves it without effect

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
    def place_among(cls, others: Sequence[str]) -> int:
        """Return where a tuple gets one that is set by path: an index among the names of its members."""
        return len(others)

    @classmethod
    def example(cls) -> Self:
        """An active setting for the contract tests; the defaults unless those are neutral."""
        return cls()

    def __post_init__(self) -> None:
        for name, within in ranges(type(self)).items():  # type: ignore[arg-type]  # as in component_fields.py
            value = getattr(self, name)  # most lie between the ends, which is told at once: campaigns build thousands
            if type(value) in (float, int) and within.low < value < within.high:
                continue
            self.check(not outside(value, within), name, str(within))
        self.validate()

    def validate(self) -> None:
        """Raise a ValueError unless the fields, each of them in its range, go together."""

    def check(self, rule: bool, field: str, must: str) -> None:
        """Raise a ValueError that names the class, the field, its value and the rule, unless ``rule`` holds."""
        if not rule:
            raise ValueError(f"{type(self).__name__}.{field} is {as_set(getattr(self, field))} but must be {must}")


def components(kind: str | None = None) -> list[type[Component]]:
    """All concrete components (of a kind), by name: what the contract tests run over."""
    concrete = [c for _, c in sorted(_REGISTRY.items()) if not c.__dict__.get("abstract", False)]
    return concrete if kind is None else [c for c in concrete if c.kind == kind]


def concrete(name: object) -> type[Component] | None:
    """The component class called ``name``, of any kind; None where there is none. As ``components`` has it, at once."""
    found = _REGISTRY.get(name) if isinstance(name, str) else None
    return None if found is None or found.__dict__.get("abstract", False) else found


def component(name: str, kind: str) -> type[Component]:
    """The component class called ``name``; a ValueError with the nearest name where there is none of that kind."""
    if (known := concrete(name)) is not None and known.kind == kind:
        return known
    found = {c.__name__: c for c in components(kind)}
    if name not in found:
        raise ValueError(f"{name!r} is not {a(kind)}: {nearest(name, found, kind + 's')}")
    return found[name]


def name_on_disk(cls: type[Component]) -> str:
    """The class name, of a user's own file as ``Sawtooth@1f2e3d4c5b6a7988``: a changed source has another key."""
    return "@".join(filter(None, (cls.__name__, SOURCES.get(cls.__module__))))


def without_neutral(config: Any) -> Any:
    """``config`` without the tricks at their neutral setting, in every tuple of components below it."""
    if isinstance(config, tuple):
        return tuple(without_neutral(c) for c in config if not (isinstance(c, Component) and c == type(c).neutral()))
    if not isinstance(config, Component):
        return config
    fields = {f.name: without_neutral(getattr(config, f.name)) for f in dataclasses.fields(config)}
    return dataclasses.replace(config, **fields)


def switched_off(config: Component, path: str = "") -> dict[str, str]:
    """Dotted path of each field that does nothing in ``config`` -> path of the field whose 0 switches it off."""
    found = {path + name: path + by for name, by in config.switched_by.items() if getattr(config, by) == 0}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Component):
                member = f"{type(part).__name__}." if isinstance(value, tuple) else ""
                found |= switched_off(part, f"{path}{field.name}.{member}")
    return found
