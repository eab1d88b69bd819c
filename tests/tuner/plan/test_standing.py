from __future__ import annotations

import random
from statistics import correlation, stdev

import pytest

from tuner.plan.standing import Standings


def test_who_is_ahead_at_a_quarter_is_likely_to_end_ahead_and_at_a_half_more_so() -> None:
    standings = Standings(random.Random(0))
    rows = [[standings.next(str(key), spent) for spent in (60.0, 120.0, 240.0)] for key in range(4000)]
    quarter, half, end = zip(*rows, strict=True)
    assert correlation(quarter, end) == pytest.approx(0.71, abs=0.03)
    assert correlation(half, end) == pytest.approx(0.84, abs=0.03)
    assert stdev(end) == pytest.approx(1.0, abs=0.05), "it does not grow on the way"


def test_a_trial_goes_on_from_where_it_was_seen_and_one_that_begins_again_stands_as_it_did() -> None:
    standings = Standings(random.Random(0))
    seen = []
    for key in range(2000):
        standings.place(str(key), 120.0, 2.0)
        seen.append(standings.next(str(key), 240.0))
    assert sum(seen) / len(seen) == pytest.approx(2.0 * 0.5**0.25, abs=0.05)
    standings.place("again", 120.0, 2.0)
    assert standings.next("again", 60.0) == 2.0
