from __future__ import annotations

import math

import pytest

from benchmarks.time_left import CASES, PARTS, Case, Said, asked, mean_of_the_ended
from tuner.plan.time_left import Span


def test_there_are_ten_campaigns_and_each_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) == 10


def test_a_campaign_is_asked_three_times_on_its_way() -> None:
    whole, found = asked(Case("small", "parameter_golf", 5, 2, 40, confirm="1x2", noise=0.01), 1)
    assert [one.true for one in found] == pytest.approx([whole * (1 - part) for part in PARTS])
    assert all(math.isfinite(one.error) for one in found[1:])
    again = asked(Case("small", "parameter_golf", 5, 2, 40, confirm="1x2", noise=0.01), 1)
    assert again == (whole, found), "the same seed is the same campaign"


def test_an_error_is_of_what_was_true() -> None:
    said = Said(100.0, Span(80.0, 90.0, 110.0), 50.0)
    assert said.error == pytest.approx(-0.1) and said.error_before == pytest.approx(-0.5) and said.within
    assert Said(100.0, None, None).error == math.inf and not Said(120.0, said.span, None).within


def test_what_was_said_before_is_the_mean_of_the_ended_over_the_slots() -> None:
    class Row(dict):
        def __missing__(self, name):
            return None

    class Made:
        def __init__(self, **cells):
            self.row = Row(cells)

    class Book:
        trials, here, queue = 10, type("H", (), {"slots": 4})(), type("Q", (), {"waiting": []})()
        ledger = type("L", (), {"entries": {1: Made(ended_at=1, wall_seconds=20.0)}})()
        live = {2: Made(train_seconds=5.0)}  # noqa: RUF012
        num_started, to_confirm = 2, 3

    assert mean_of_the_ended(Book()) == ((8 + 3 + 1) * 20.0 - 5.0) / 4
