"""A space that is written by hand: a field of another type is one line, and not a traceback later on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from search_spaces import load
from search_spaces.domains import Uniform
from search_spaces.space import Knob, Scale, Space

GOLF = load("parameter_golf")
KNOB = Knob("optimizer.matrix_lr", Uniform(0.0, 1.0), "a guess")
SCALE = GOLF.scales["proxy"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", 5, "a space has the name 5, which must be text"),
        ("name", None, "a space has the name None"),
        ("question", 5, "space parameter_golf has the question 5, which must be text"),
        ("objective", None, "space parameter_golf has the objective None"),
        ("second_objective", 5, "has the second objective 5, which must be text or None"),
        ("scales", 5, "has the scales 5, which must be a mapping"),
        ("scales", [1], r"has the scales \[1\], which must be a mapping"),
        ("scales", {"proxy": 5}, "has 5 among its scales"),
        ("scales", {5: SCALE}, "has 5 among its names of scales"),
        ("knobs", 5, "has the knobs 5, which must be a tuple"),
        ("knobs", ("a",), "has 'a' among its knobs"),
        ("constraints", 5, "has the constraints 5"),
    ],
)
def test_a_field_of_a_space(field: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(GOLF, **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("path", 5, "a knob has the path 5, which must be text"),
        ("domain", "0..1", r"the knob 'optimizer.matrix_lr' has the domain '0..1', which must be a domain: Uniform"),
        ("why", None, "has the reason None"),
        ("when", 5, "has the condition 5"),
        ("when", {"schedule": "Tidal"}, "has 'Tidal' among its labels of conditions, which must be a tuple"),
        ("likely", 0.5, "has the likely part 0.5"),
    ],
)
def test_a_field_of_a_knob(field: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(KNOB, **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("base", 5, "a scale has the base 5, which must be a TrainConfig"),
        ("trials", "9", "a scale has the number of trials '9'"),
        ("trials", True, "a scale has the number of trials True"),
        ("trials", 0, "a scale has the number of trials 0, which must be at least 1"),
        ("about", 5, "a scale has the description 5"),
        ("sizes", [], r"a scale has the sizes \[\]"),
        ("factors", None, "a scale has the factors None"),
    ],
)
def test_a_field_of_a_scale(field: str, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(SCALE, **{field: value})


def test_lists_are_as_good_as_tuples() -> None:
    assert isinstance(replace(GOLF, knobs=list(GOLF.knobs)), Space) and isinstance(SCALE, Scale)
