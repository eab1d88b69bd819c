"""Values and exceptions in messages: one line, not long, whatever they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from terminal import short
from terminal.short import as_written, message_of, shortened


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        ("a  b", "'a  b'"),
        (10**5000, "about 10^5000"),
        (-(10**40), "about -10^40"),
        ([10**5000], "a list"),
        (Silent(), "a test_short.Silent"),
        (np.zeros((100, 3)), "a numpy.ndarray of shape (100, 3)"),
        (pd.DataFrame({"a": range(9)}), "a pandas.DataFrame of shape (9, 1)"),
        (np.float32(0.5), "np.float32(0.5)"),
        (pd.DataFrame, "<class 'pandas.DataFrame'>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_one_short_line(value: object, text: str) -> None:
    assert shortened(value).replace("tests.terminal.", "").replace("pandas.core.frame.", "pandas.") == text


@pytest.mark.parametrize("value", [{"a": np.zeros((40, 40))}, [pd.Series(range(99))], "x" * 999])
def test_a_value_within_another_is_cut_and_has_no_line_of_its_own(value: object) -> None:
    assert len(shortened(value)) <= short.LONGEST and "\n" not in shortened(value)


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([2.28671, 3.0, None], ["2.2867", "3.0000", "-"]),
        ([0.0037, 0.000854, float("nan")], ["0.0037", "0.0009", "-"]),
        ([-0.0977, 0.00004], ["-0.09770", "0.00004"]),  # none is said to be 0 that is not
        ([0.000854, 0.0000021, pd.NA], ["0.000854", "0.000002", "-"]),
        ([0.000000854, 0.0], ["0.000000854", "0.000000000"]),
        ([1.0, 1e-12], ["1.000000", "0.000000"]),
        ([3e-13, 1e-13], ["3e-13", "1e-13"]),
        ([float("inf"), 1061717.0], ["inf", "1061717.0000"]),
        ([], []),
    ],
)
def test_the_cells_of_a_column_have_one_number_of_digits(values, cells) -> None:
    form = short.in_column(values)
    assert [form(value) for value in values] == cells


def test_differences_in_a_column_have_signs_and_one_number_of_digits() -> None:
    form = short.in_column([-0.2048, 0.000412], short.signed)
    assert [form(-0.2048), form(0.000412), form(None)] == ["-0.2048", "+0.0004", "-"]
    form = short.in_column([0.000412, -0.000004], short.signed)
    assert [form(0.000412), form(-0.000004)] == ["+0.000412", "-0.000004"]


def test_an_exception_that_cannot_say_what_it_is_says_nothing() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    class OddError(Exception):
        def __str__(self) -> str:
            return 5  # type: ignore[return-value]

    assert [message_of(error) for error in (MuteError(), OddError(), ValueError("a\n  b"))] == ["", "", "a b"]


def test_a_setting_is_written_as_it_is_set() -> None:
    assert [as_written(value) for value in (None, True, False, "a b", 0.0001, 1)] == [
        "null", "true", "false", "a b", "0.0001", "1",
    ]  # fmt: skip
