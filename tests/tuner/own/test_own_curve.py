"""What a user's own function reports is its curve: all of it, also between the reports that are judged."""

from __future__ import annotations

import math
from typing import Any

import pytest

from results.store.curves import TrainingCurve
from trainable.thinning import POINTS_OF_A_CURVE
from tuner.own.running import Running, Task


def results(train: Any, steps: int = 100, **more: Any) -> list[dict[str, Any]]:
    running, found = Running(train, Task({"lr": 0.1}, steps, (25.0,), "loss", **more)), []
    while not found or not found[-1]["done"]:
        found.append(running.next())
    return found


def test_every_report_is_a_point(tmp_path) -> None:
    def train(config, report) -> float:
        for step in range(10, 101, 10):
            report(step, 1 / step)
        return 0.5

    first, last = (TrainingCurve(**result["curve"]) for result in results(train))
    assert list(first.steps) == [10, 20, 30] and first.tokens is None
    assert last.values == {"reported_value": [1 / step for step in range(10, 101, 10)]}
    assert last.units == {"reported_value": "unit of the objective"}
    assert TrainingCurve.of(last.table("0" * 16, 0)) == last


def test_what_is_to_be_highest_is_kept_negated_as_in_the_reports() -> None:
    (only,) = results(lambda config, report: report(100, 0.5), maximise=True)
    assert only["curve"]["values"]["reported_value"] == [-0.5] and only["reported_value"] == -0.5


@pytest.mark.parametrize("count", [POINTS_OF_A_CURVE, POINTS_OF_A_CURVE + 1, 3 * POINTS_OF_A_CURVE])
def test_many_reports_are_thinned_from_the_first(count: int) -> None:
    def train(config, report) -> None:
        for step in range(1, count + 1):
            report(step, float(step))

    *_, last = results(train, steps=count)
    stride = 1 if count <= POINTS_OF_A_CURVE else 2 if count <= 2 * POINTS_OF_A_CURVE else 4
    assert last["curve"]["steps"] == list(range(1, count + 1, stride))


def test_one_that_reports_nothing_has_none_and_one_that_diverges_says_so() -> None:
    (silent,) = results(lambda config, report: 0.5)
    assert len(TrainingCurve(**silent["curve"]).table("0" * 16, 0)) == 0
    first, *_ = results(lambda config, report: report(3, math.nan) or math.nan)
    assert math.isnan(first["curve"]["values"]["reported_value"][0])
