from __future__ import annotations

import pytest

from tuner.cli.sparkline import interval, span_of, sparkline


def test_a_sparkline_has_a_character_a_value_from_the_lowest_to_the_highest() -> None:
    assert sparkline([3.0, 2.0, 1.0, 0.0], 0.0, 3.0) == "█▆▃▁"


def test_values_beyond_the_ends_are_at_their_height() -> None:
    assert sparkline([9.0, -9.0], 0.0, 3.0) == "█▁"


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0]])
def test_a_curve_without_a_range_is_flat(values) -> None:
    assert sparkline(values, *span_of(values)) == "▁" * len(values)


@pytest.mark.parametrize(
    ("drawn", "text"),
    [((-1.0, -0.75, -0.5), "──●──    ┊"), ((-0.2, 0.0, 0.12), "       ──●"), ((-0.6, -0.3, 0.1), "    ───●──")],
)
def test_an_interval_is_drawn_with_its_middle_and_the_zero(drawn, text) -> None:
    got = interval(*drawn, (-1.0, 0.12), 10)
    assert len(got) == 10 and got.count("●") == 1
    assert got.index("●") == min(9, int((drawn[1] + 1.0) / 1.12 * 10))
    assert ("┊" in got) == (drawn[1] != 0.0)
