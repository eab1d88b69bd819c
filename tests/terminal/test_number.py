from __future__ import annotations

import pytest

from search_spaces.constraints import Constraint
from terminal.number import decimal, number
from trainable.component_paths import parse_value
from tuner.cli import options

NUMBERS = {
    ".04": 0.04, "5.": 5.0, "+7": 7, "-0.5": -0.5, "1e-3": 1e-3, "1E3": 1000.0, "007": 7, "12": 12
}  # fmt: skip
NONE = (
    "1_000",
    "0x10",
    "inf",
    "nan",
    "NaN",
    "",
    ".",
    "e3",
    "1e",
    "--1",
    "1,5",
    "\u0663",
    "1.5.2",
    "1" * 5000,
)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_the_same_everywhere(text: str) -> None:
    value = number(text)
    assert value == NUMBERS[text] and type(value) is type(NUMBERS[text]) and decimal(text) == value
    assert parse_value(text) == value
    if value > 0:
        assert Constraint.parse(f"parameters<={text}").limit == value
        assert options.parse(["--space", "a", "--hours", text]).start.hours == value


@pytest.mark.parametrize("text", NONE, ids=lambda text: ascii(text)[:10])
def test_what_is_no_number_is_none_anywhere(text: str, capsys) -> None:
    assert number(text) is None and decimal(text) is None
    with pytest.raises(SystemExit):
        options.parse(["--space", "a", f"--hours={text}"])
    assert "is not a positive number of hours" in capsys.readouterr().err
    with pytest.raises(ValueError):
        Constraint.parse(f"parameters<={text}")


def test_one_beyond_every_float_is_infinite_and_refused_by_its_range() -> None:
    assert number("1e999") == decimal("1" * 400) == float("inf")
