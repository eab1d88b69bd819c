"""Results in texts: 4 decimals, and significant digits where 4 decimals would say nothing."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from terminal.short import decimals, signed

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2.25661, "2.2566"), (0.0, "0.0000"), (0.0076, "0.0076"), (0.001, "0.0010"), (0.000412345, "0.000412"),
        (4.123e-5, "4.12e-05"), (-3e-9, "-3e-09"), (math.nan, "nan"), (math.inf, "inf"), (-1.5, "-1.5000"),
    ],
)  # fmt: skip
def test_a_result_never_reads_as_zero_unless_it_is(value, said) -> None:
    assert decimals(value) == said
    assert signed(value) == (said if said.startswith("-") else f"+{said}")


def test_no_text_has_a_rule_of_its_own() -> None:
    for package in ("results", "tuner"):
        for file in (ROOT / package).rglob("*.py"):
            assert not re.search(r":\+?\.4f\}", file.read_text("utf-8")), file
