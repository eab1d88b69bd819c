"""Scalars of libraries and members of enumerations where a space or a setting takes a number or a text."""

from __future__ import annotations

import enum

import numpy as np
import pytest

from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.own_train import own_space
from search_spaces.plain import plain_value, plain_values


class Word(str, enum.Enum):  # noqa: UP042 (as users write it)
    RELU, GELU = "relu", "gelu"


class Size(enum.IntEnum):
    SMALL, LARGE = 16, 32


class Kind(enum.Enum):
    ADAM, SGD = "adam", "sgd"


class Text(str): ...


@pytest.mark.parametrize(
    ("given", "there"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (Word.GELU, "gelu"),
        (Size.LARGE, 32),
        (Text("a"), "a"),
        (True, True),
        (None, None),
        ("a", "a"),
    ],
)
def test_a_scalar_is_the_plain_value_that_it_equals(given: object, there: object) -> None:
    assert plain_value(given) == there and type(plain_value(given)) is type(there)


def test_what_stands_for_no_plain_value_stays_and_mappings_and_lists_are_gone_through() -> None:
    array = np.zeros(3)
    assert plain_value(array) is array and plain_value(Kind.ADAM) is Kind.ADAM
    found = plain_values({"a": [np.int64(1), {Word.RELU: np.float64(2)}], "b": (Size.SMALL,)})
    assert found == {"a": [1, {"relu": 2.0}], "b": [16]} and type(found["a"][0]) is int


def test_a_space_takes_them_as_options_bounds_base_and_steps() -> None:
    domains = {
        "act": [Word.RELU, Word.GELU],
        "batch": [np.int64(16), np.int64(32)],
        "size": list(Size),
        "width": "4..64",
        "lr": LogUniform(np.float32(0.5), np.float64(1)),
        "depth": Integer(np.int64(1), np.int32(3)),
        np.str_("rate"): Uniform(np.int64(0), 1),
    }
    base = {
        "act": Word.GELU, "batch": np.int64(32), "size": Size.SMALL, "width": np.int16(8), "lr": np.float32(0.5),
        "depth": np.int64(2), "rate": np.float32(0.25),
    }  # fmt: skip
    space, config = own_space("train", domains, base, np.int64(9), 7, "loss")  # type: ignore[arg-type]
    assert config.handed_in() == {
        "act": "gelu", "batch": 32, "size": 16, "width": 8, "lr": 0.5, "depth": 2, "rate": 0.25, "seed": 7, "steps": 9,
    }  # fmt: skip
    assert all(type(value) in (int, float, str) for value in config.handed_in().values())
    assert [str(knob.domain) for knob in space.knobs][:4] == ["relu | gelu", "16 | 32", "16 | 32", "4 .. 64"]
    assert space.column_types()["batch"] == "int64" and space.column_types()["act"] == "string"
    assert Choice(Word.RELU, Word.GELU) == Choice("relu", "gelu")


@pytest.mark.parametrize(
    ("domain", "base", "says"),
    [
        ([Kind.ADAM, Kind.SGD], Kind.ADAM, "the option <Kind.ADAM: 'adam'> must be a number"),
        ([np.zeros((30, 30)), 1], 1, r"the option a numpy.ndarray of shape \(30, 30\) must be a number"),
        (np.zeros((30, 30)), 1, r"space: a is a numpy.ndarray of shape \(30, 30\) but must be LOW"),
        ("1..8", 10**5000, r"base: a is about 10\^5000 but must be in"),
        ([1, 10**5000], 1, r"about 10\^5000 must be in"),
        ("0..1", 10**400, r"base: a is about 10\^400 but must be in"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_none_is_refused_in_one_short_line(domain: object, base: object, says: str) -> None:
    with pytest.raises(ValueError, match=says) as raised:
        own_space("train", {"a": domain}, {"a": base}, 9, 7, "loss")
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "steps", [10**5000, np.float64(3), "9", None, np.zeros(2)], ids=lambda value: type(value).__name__
)
def test_steps_that_are_no_whole_number_are_refused(steps: object) -> None:
    with pytest.raises(ValueError, match=r"steps is .* but must be a whole number"):
        own_space("train", {"a": "0..1"}, {"a": 0.5}, steps, 7, "loss")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0.5 .. 1", " 0.5..1 ", "0.5  ..1  log", "0.5..1\tlog"])
def test_a_range_may_have_spaces(text: str) -> None:
    domain = own_space("train", {"a": text}, {"a": 0.75}, 9, 7, "loss")[0].knobs[0].domain
    assert domain == (LogUniform(0.5, 1.0) if "log" in text else Uniform(0.5, 1.0))


@pytest.mark.parametrize("text", ["0...1", "0..1..2", "..1", "0..", "..", "0..1log", "0..log", "0 1..2"])
def test_a_range_that_is_none_says_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"it must be LOW\.\.HIGH or LOW\.\.HIGH log, with two numbers"):
        own_space("train", {"a": text}, {"a": 0.5}, 9, 7, "loss")


def test_names_that_are_no_text_are_refused_beside_those_that_are() -> None:
    for domains, base in (({"a": "0..1", 5: "0..1"}, {"a": 0.5, None: 1}), ({5: "0..1"}, {5: 0.5})):
        with pytest.raises(ValueError, match="the space's name 5 must be text"):
            own_space("train", domains, base, 9, 7, "loss")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="base has None, which the space has not"):
        own_space("train", {"a": "0..1"}, {"a": 0.5, None: 1}, 9, 7, "loss")  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["\udcff", "a"], "must be UTF-8: it holds half a character"),
        (["x" * 10**6, "a"], "its 2 options are too long together"),
        (list(range(100_000)), "its 100,000 options are too long together"),
    ],
    ids=["half a character", "long", "many"],
)
def test_options_that_a_campaign_cannot_keep_are_said_of_the_space(options: list[object], says: str) -> None:
    with pytest.raises(ValueError, match=f"^space: a is .*: .*{says}"):
        own_space("train", {"a": options}, {"a": "a"}, 9, 7, "loss")


def test_more_names_than_a_campaign_keeps_are_said_of_the_space() -> None:
    names = [f"a{number}" for number in range(1001)]
    with pytest.raises(ValueError, match="the space has 1,001 names but may have at most 1,000"):
        own_space("train", dict.fromkeys(names, "0..1"), dict.fromkeys(names, 0.5), 9, 7, "loss")
