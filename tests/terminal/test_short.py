"""Values and exceptions in messages: one line, not long, whatever they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from terminal import short
from terminal.short import message_of, shortened


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


def test_an_exception_that_cannot_say_what_it_is_says_nothing() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    class OddError(Exception):
        def __str__(self) -> str:
            return 5  # type: ignore[return-value]

    assert [message_of(error) for error in (MuteError(), OddError(), ValueError("a\n  b"))] == ["", "", "a b"]
