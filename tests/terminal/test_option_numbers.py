from __future__ import annotations

import argparse

import pytest

from terminal import option_numbers
from terminal.option_numbers import at_least_one, positive, whole_number

ENDLESS = "9" * 5000
NO_NUMBERS = ["٣", "３", " 3", "3 ", "1_000", "0x3", "3.0", "-0", "inf", "1" + "0" * 400]


@pytest.mark.parametrize(
    "text", ["0", "-1", "1.5", "1e3", "", "x", str(option_numbers.MOST + 1), "999999999999", ENDLESS, *NO_NUMBERS]
)
def test_a_count_is_refused_in_a_short_line_that_names_it_and_its_range(text) -> None:
    with pytest.raises(
        argparse.ArgumentTypeError, match="is not a whole number of at least 1 and at most 1,000,000"
    ) as e:
        at_least_one(text)
    assert len(str(e.value)) < 120 and repr(text[:20])[:-1] in str(e.value)
    assert (at_least_one("1"), at_least_one(str(option_numbers.MOST))) == (1, option_numbers.MOST)


def test_a_whole_number_that_is_not_written_in_digits_is_told_how_it_is_written() -> None:
    for text, digits in (("1e3", "1000"), ("1_000", "1000"), ("20,000", "20000"), ("3.0", "3")):
        with pytest.raises(argparse.ArgumentTypeError, match=rf"1,000,000 \({digits} in digits\)$"):
            at_least_one(text)
        with pytest.raises(argparse.ArgumentTypeError, match=rf"in 0\.\.20,000 \({digits} in digits\)$"):
            whole_number(0, 20_000)(text)
    for text in ("1.5", "1e9", "-1e3", "x", "0x3", "1000001", ENDLESS):
        with pytest.raises(argparse.ArgumentTypeError, match=r"at most 1,000,000$"):
            at_least_one(text)


@pytest.mark.parametrize("text", ["4", "-1", "nan", "1.0", ENDLESS, *NO_NUMBERS[:-1]])
def test_a_whole_number_outside_its_range_is_refused(text) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not a whole number in 0\.\.3"):
        whole_number(0, 3)(text)
    assert (whole_number(0, 3)("0"), whole_number(0, 3)("3")) == (0, 3)


@pytest.mark.parametrize(
    "text", ["0", "-0.5", "nan", "inf", "-inf", "1e308", "soon", "", ENDLESS, *NO_NUMBERS[:2], "1_000", "-0"]
)
def test_an_amount_that_is_not_finite_positive_and_in_range_is_refused(text) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a positive number of hours up to 1,000,000") as e:
        positive("hours", 10**6)(text)
    assert len(str(e.value)) < 120
    assert positive("hours", 10**6)("0.25") == 0.25
