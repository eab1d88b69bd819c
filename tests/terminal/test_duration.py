from __future__ import annotations

import pytest

from terminal.duration import duration, durations


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
