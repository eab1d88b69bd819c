"""JSON in a cell: what is too deep, too large or too long is refused."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from results.store import validate
from results.store.limits import DEPTH, JSON_TEXT
from results.store.row_types import TRIAL_COLUMNS

CONFIG = next(column for column in TRIAL_COLUMNS if column.name == "config")
LARGE = {
    "too deep": '{"a":' * (DEPTH + 1) + "{}" + "}" * (DEPTH + 1),
    "too deep a list": '{"a":' + "[" * (DEPTH + 2) + "]" * (DEPTH + 2) + "}",
    "a large number": '{"a": 1e101}',
    "a large number with a sign": '{"a": -2E+100}',
    "a large number of digits and an exponent": '{"a": 12345e98}',
    "a long number": '{"a": 1' + "0" * 101 + "}",
    "infinity": '{"a": -Infinity}',
    "a long text": json.dumps({"a": "x" * (JSON_TEXT + 1)}),
}


@pytest.mark.parametrize("what", LARGE)
def test_what_is_too_large_is_refused(what: str) -> None:
    with pytest.raises(ValueError, match=r"config (is nested more than|holds a)"):
        validate.check_cell(CONFIG, LARGE[what])


def test_what_is_just_small_enough_is_taken() -> None:
    for text in ('{"a":' * DEPTH + "{}" + "}" * DEPTH, '{"a": 9e99}', '{"a": "1e999 Infinity"}', '{"a": 1e-300}'):
        validate.check_cell(CONFIG, text)


@pytest.mark.parametrize("what", LARGE)
def test_what_is_too_large_is_refused_among_many_texts_too(what: str) -> None:
    small = [f'{{"a": {number}}}' for number in range(9)]
    assert validate._surely_small(pa.array([*small, LARGE[what]], pa.string())) == [True] * 9 + [False]


def made(draw: random.Random, depth: int) -> Any:
    """Some JSON data, as deep as that at most, whose texts look like brackets and whose numbers are near the limit."""
    kind = draw.random()
    if depth <= 0 or kind < 0.1:
        return draw.choice([1, 1e99, 1e101, 10**95, 10**101, -3e100, 5e-300, "}}}]]", '{{["\\', 'a\\"}', "1e300", None])
    if kind < 0.6:
        return [made(draw, depth - draw.randrange(1, 3)) for _ in range(draw.randrange(3))]
    return {f"{draw.choice(['a', '}', '{'])}{at}": made(draw, depth - 1) for at in range(draw.randrange(3))}


def test_the_quick_look_at_many_texts_lets_nothing_through_that_the_slow_one_refuses() -> None:
    draw = random.Random(1)
    nested = ["[" * depth + '"]]}"' + "]" * depth for depth in range(DEPTH - 3, DEPTH + 4)]
    texts = [*nested, *(json.dumps(made(draw, draw.randrange(1, 45))) for _ in range(2_000))]
    counts: Counter[tuple[bool, bool]] = Counter()
    for text, is_small in zip(texts, validate._surely_small(pa.array(texts, pa.string())), strict=True):
        try:
            validate._check_depth("config", json.loads(text))
        except ValueError:
            counts[is_small, False] += 1
        else:
            counts[is_small, True] += 1
    assert not counts[True, False] and counts[False, False] > 10 and counts[True, True] > 500
