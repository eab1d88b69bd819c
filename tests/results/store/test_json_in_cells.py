"""JSON in a cell: what is too deep, too large or too long is refused."""

from __future__ import annotations

import json

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
