"""The fields that spaces search: by component and field, which spaces do and over which range."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trainable.component import Component
from trainable.component_paths import get_value, with_values
from trainable.config import TrainConfig

from search_spaces import catalogue
from search_spaces.domains import Choice, Domain
from search_spaces.reference.fields import value_in_words
from search_spaces.space import Knob, Space, with_neutral


@dataclass(frozen=True)
class SearchedOver:
    """A space that searches a field."""

    space: str
    knob: Knob


@functools.cache
def searches() -> Mapping[tuple[str, str], tuple[SearchedOver, ...]]:
    """(Component, field) -> the spaces kept here that search it, each once."""
    found: dict[tuple[str, str], dict[str, SearchedOver]] = {}
    for name in catalogue.names():
        space = catalogue.load(name)
        for knob in space.knobs:
            for holder in holding(space, knob):
                key = (holder.__name__, knob.path.rpartition(".")[2])
                found.setdefault(key, {})[name] = SearchedOver(name, knob)
    return {key: tuple(by_space.values()) for key, by_space in found.items()}


def holding(space: Space, knob: Knob) -> set[type[Component]]:
    """The components whose field a knob is: several, where one above it is sampled too."""
    parent = knob.path.rpartition(".")[0]
    found: set[type[Component]] = set()
    for scale in space.scales.values():
        for config in _variants(space, knob, scale.base):
            holder = get_value(with_neutral(config, knob.path), parent) if parent else config
            found.add(type(holder))
    return found


def _variants(space: Space, knob: Knob, base: TrainConfig) -> Iterator[TrainConfig]:
    """The base under every choice of a component above the knob under which the knob is live."""
    choices: list[TrainConfig] = [base]
    for above in space.knobs:
        if knob.path.startswith(f"{above.path}.") and isinstance(above.domain, Choice):
            labels = (knob.when or {}).get(above.path, above.domain.labels)
            choices = [with_values(c, {above.path: above.domain.options[label]}) for c in choices for label in labels]
    yield from choices


def domain_in_words(domain: Domain) -> str:
    """A range, or the labels of a choice."""
    return ", ".join(value_in_words(label) for label in domain.labels) if isinstance(domain, Choice) else str(domain)
