from __future__ import annotations

import pytest

from terminal.duration import about, duration, durations, rounded_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.02, "0.02 s"), (1, "1 s"), (59.4, "59 s"), (59.6, "1 min"), (60, "1 min"), (189, "3 min 9 s"),
     (3599.7, "1 h"), (3600, "1 h"), (7500, "2 h 5 min"), (99 * 3600, "99 h"), (101 * 3600, "4 d 5 h"),
     (4 * 86400, "96 h"), (5 * 86400, "5 d"), (1e12, "11,574,074 d 2 h")],
)  # fmt: skip
def test_a_time_has_its_units(seconds, text) -> None:
    assert duration(seconds) == text


def test_a_span_of_times_that_are_nearly_one_is_one() -> None:
    assert durations(100, 104) == "1 min 40 s" and durations(100, 150) == "1 min 40 s to 2 min 30 s"


@pytest.mark.parametrize(("seconds", "to"), [(3.0, 5.0), (58.0, 60.0), (307.0, 300.0), (1234.0, 1260.0)])
def test_a_time_is_rounded_to_what_can_be_known(seconds, to) -> None:
    assert rounded_seconds(seconds) == to


def test_a_time_that_is_foretold_is_rounded_and_has_a_range_where_it_has_two_ends() -> None:
    assert about(571) == "about 9 min 30 s" and about(1234) == "about 21 min"
    assert about(600, 610) == "about 10 min" and about(600, 1234) == "about 10 min to 21 min"
