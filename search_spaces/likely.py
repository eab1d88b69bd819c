"""Expert ranges: where in a knob's domain those who know would look first, as a part of that domain.

A search draws its first points from there; the sampler may still go anywhere, and does as evidence comes in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from terminal.nearest import nearest
from terminal.short import as_written
from trainable.component_paths import parse_value

from search_spaces.domains import Choice, Domain
from search_spaces.space import Space


def with_likely(space: Space, settings: Iterable[str]) -> Space:
    """The space with expert ranges given as ``PATH=LOW..HIGH`` or, for a choice, ``PATH=LABEL|LABEL``.

    A ValueError for an unknown knob, one given twice, and for what is no part of its domain.
    """
    found: dict[str, Domain] = {}
    for text in settings:
        path, equals, value = text.partition("=")
        if path and equals and not value.strip():
            raise ValueError(f"--likely {text!r} gives {path} an empty range: it takes LOW..HIGH or LABEL|LABEL")
        if not equals or not path:
            raise ValueError(f"--likely takes PATH=LOW..HIGH or PATH=LABEL|LABEL, not {text!r}")
        if path in found:
            raise ValueError(f"--likely {path} is given twice")
        found[path] = part_of(space.knob(path).domain, path, value)
    return replace(space, knobs=tuple(replace(k, likely=found.get(k.path, k.likely)) for k in space.knobs))


def part_of(domain: Domain, path: str, text: str) -> Domain:
    """The part of ``domain`` that ``text`` names; a ValueError that names knob, value and domain where it is none."""
    if isinstance(domain, Choice):
        labels = {as_written(label): label for label in domain.labels}
        known = labels | {str(label): label for label in domain.labels}  # campaigns of before say True and False
        named = text.split("|")
        for name in named:
            if name not in known:
                raise ValueError(f"--likely {path}={text}: {name!r} is no option: {nearest(name, labels, 'options')}")
        return Choice.of({known[name]: domain.options[known[name]] for name in named})
    low, dots, high = text.partition("..")
    bounds = [_bound(path, text, bound) for bound in (low, high)] if dots else []
    if len(bounds) != 2 or any(bound not in domain for bound in bounds) or not bounds[0] < bounds[1]:
        raise ValueError(f"--likely {path}={text}: must be LOW..HIGH within {domain}")
    return type(domain)(*bounds)


def _bound(path: str, text: str, bound: str) -> Any:
    try:
        value = parse_value(bound)
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"--likely {path}={text}: {bound!r} is no number")
    return value
