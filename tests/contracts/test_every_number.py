"""Every number of every component has a range that its type knows, and nothing in the range fails later."""

from __future__ import annotations

import dataclasses
import math
import typing
from typing import Any

import pytest

import search_spaces
from search_spaces.domains import Choice
from trainable.component import Component, components
from trainable.component_paths import with_value
from trainable.config import TrainConfig
from trainable.ranges import Within, outside, ranges


def has_numbers(hint: Any) -> bool:
    return hint in (int, float) or any(has_numbers(inner) for inner in typing.get_args(hint))


def is_whole(cls: type[Component], field: str) -> bool:
    hint = typing.get_type_hints(cls)[field]
    return int in (hint, *typing.get_args(hint))


NUMBERS = [
    pytest.param(cls, field.name, id=f"{cls.__name__}.{field.name}")
    for cls in components()
    for field in dataclasses.fields(cls)
    if has_numbers(typing.get_type_hints(cls)[field.name])
]
EVERY = pytest.mark.parametrize(("cls", "field"), NUMBERS)


def range_in_type(cls: type[Component], field: str) -> Within:
    within = ranges(cls).get(field)
    assert within is not None, f"the type of {field} has no range: trainable/ranges.py has some, as Part for 0 to 1"
    return within


def beyond(within: Within, whole: bool) -> list[Any]:
    """The nearest numbers that are not in the range, on both sides."""
    if whole:
        return [within.low - 1, within.high + 1]
    low = within.low if within.without_low else math.nextafter(within.low, -math.inf)
    return [low, within.high if within.without_high else math.nextafter(within.high, math.inf)]


@EVERY
def test_its_range_is_part_of_its_type_and_holds_its_default(cls, field) -> None:
    within = range_in_type(cls, field)
    assert within.low < within.high and math.isfinite(within.low) and math.isfinite(within.high)
    (default,) = (f.default for f in dataclasses.fields(cls) if f.name == field)
    assert not outside(default, within) and not outside(getattr(cls.example(), field), within)


@EVERY
def test_what_is_out_of_its_range_is_refused_in_one_line_with_field_value_and_range(cls, field) -> None:
    within, whole = range_in_type(cls, field), is_whole(cls, field)
    listed = isinstance(getattr(cls.example(), field), tuple)
    for wrong in (math.nan, math.inf, -math.inf, 1e308, -1e308, 10**400, *beyond(within, whole)):
        value = (wrong,) if listed else wrong
        with pytest.raises(ValueError, match=rf"{cls.__name__}\.{field} is .* but must be") as typed:
            with_value(cls.example(), field, value)
        with pytest.raises(ValueError, match=rf"{cls.__name__}\.{field} is .* but must be") as made:
            dataclasses.replace(cls.example(), **{field: value})
        for error in (typed, made):
            assert "\n" not in str(error.value) and len(str(error.value)) < 300
        assert str(within) in str(made.value)


@EVERY
def test_the_ends_of_its_range_are_taken_or_refused_for_what_stands_beside_it(cls, field) -> None:
    within, whole = range_in_type(cls, field), is_whole(cls, field)
    inner = 1 if whole else 0
    low = math.nextafter(within.low, math.inf) if within.without_low and not inner else within.low
    high = math.nextafter(within.high, -math.inf) if within.without_high and not inner else within.high
    listed = isinstance(getattr(cls.example(), field), tuple)
    for end in (low, high):
        try:
            dataclasses.replace(cls.example(), **{field: (end,) if listed else end})
        except ValueError as error:  # of two fields: a width that its heads do not divide, say
            assert str(within) not in str(error)


def test_a_number_without_a_range_would_be_seen() -> None:
    assert not ranges(Component) and ranges(TrainConfig)["seed"].high == 2**63 - 1


@pytest.mark.parametrize("name", search_spaces.names())
def test_every_knob_lies_within_the_range_of_its_field(name) -> None:
    """Whatever else must hold between fields: a knob's bounds are never refused by their own range."""
    space = search_spaces.load(name)
    for scale in space.scales.values():
        for knob in space.knobs:
            domain = knob.domain
            ends = domain.labels if isinstance(domain, Choice) else (domain.low, domain.high)
            for value in ends:
                if isinstance(value, bool) or not isinstance(value, int | float):
                    continue
                live = {path: labels[0] for path, labels in (knob.when or {}).items()}
                try:
                    space.config(scale.base, {**live, knob.path: value})
                except ValueError as error:
                    assert not any(str(within) in str(error) for within in ranges_of(knob.path)), error


def ranges_of(path: str) -> list[Within]:
    field = path.rsplit(".", 1)[-1]
    return [found[field] for cls in components() if field in (found := ranges(cls))]
