"""The places of components in a config: by which dotted paths each can be set, and what must be chosen above it."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Iterator
from dataclasses import dataclass

from trainable.component import Component, components
from trainable.component_fields import hints_of
from trainable.config import TrainConfig

Classes = tuple[type[Component], ...]


@dataclass(frozen=True)
class Address:
    """A dotted path at which a component can stand, and the components that hold it, from the outside in."""

    path: str
    holders: tuple[tuple[str, str], ...] = ()  # (path, class name), all but the config itself
    member: bool = False  # of a list, by its class name

    @property
    def holder(self) -> str:
        """The name of the class whose field it is."""
        return self.holders[-1][1] if self.holders else TrainConfig.__name__


def product_components(kind: str | None = None) -> list[type[Component]]:
    """All components (of a kind) that come with the product: none of a user's own that are loaded beside them."""
    return [cls for cls in components(kind) if cls.__module__.startswith("trainable.")]


@functools.cache
def addresses() -> dict[str, tuple[Address, ...]]:
    """Name of a component -> where it can stand, the shortest path first."""
    found: dict[str, list[Address]] = {cls.__name__: [] for cls in product_components()}
    for cls, address in _below(TrainConfig, Address(""), ()):
        found[cls.__name__].append(address)
    return {name: tuple(sorted(places, key=lambda place: place.path.count("."))) for name, places in found.items()}


def component_options(cls: type[Component], field: str) -> Classes:
    """The components that a field of ``cls`` takes, itself or in a list: none for a plain field."""
    hint = hints_of(cls)[field]
    bases = [h for h in (hint, *typing.get_args(hint)) if isinstance(h, type) and issubclass(h, Component)]
    fitting = [c for c in product_components() if bases and issubclass(c, bases[0])]
    return tuple(option for option in fitting if _accepted(cls, field, option))


def is_list(cls: type[Component], field: str) -> bool:
    """Tell whether a field takes a list."""
    return typing.get_origin(hints_of(cls)[field]) is tuple


def _below(cls: type[Component], at: Address, above: Classes) -> Iterator[tuple[type[Component], Address]]:
    """Yield what can stand in the fields of ``cls`` at ``at``; a kind within itself once, where it could be endless."""
    for field in dataclasses.fields(cls):
        member = is_list(cls, field.name)
        for option in component_options(cls, field.name):
            parts = [at.path, field.name, option.__name__ if member else ""]
            holders = (*at.holders, (at.path, cls.__name__)) if at.path else ()
            place = Address(".".join(filter(None, parts)), holders, member)
            yield option, place
            if option.kind not in {holder.kind for holder in above}:
                yield from _below(option, place, (*above, option))


def _accepted(cls: type[Component], field: str, option: type[Component]) -> bool:
    """Tell whether the rules of ``cls`` let the option in."""
    value = option.example()
    try:
        dataclasses.replace(cls.example(), **{field: (value,) if is_list(cls, field) else value})
    except ValueError as error:
        return "but must be" not in str(error) or f"{cls.__name__}.{field} is" not in str(error)
    return True
