"""The committed table holds runs of the small space as it is now: after a change of the space it must be made anew."""

from __future__ import annotations

import math

import pytest

from benchmarks.surrogate import small_spaces, trainings
from benchmarks.surrogate.record import CURVE_POINTS, INVALID
from benchmarks.surrogate.trainings import Training
from tuner.failures import OUT_OF_MEMORY

LOOKED_AT = 150  # rows, evenly over the table


@pytest.fixture(scope="module")
def recorded() -> list[Training]:
    rows = trainings.read("parameter_golf")
    return rows[:: max(1, len(rows) // LOOKED_AT)]


def test_runs_failed_where_the_space_says_that_they_do(small, recorded) -> None:
    for row in recorded:
        if row.status == INVALID:
            with pytest.raises(ValueError):
                small.config(row.values)
        else:
            assert small.fits(small.config(row.values)) == (row.status != OUT_OF_MEMORY)


def test_a_completed_run_has_all_its_rungs_and_its_curve(recorded) -> None:
    completed = [row for row in recorded if row.completed]
    assert completed
    for row in completed:
        assert len(row.rungs) == len(small_spaces.RUNGS) and len(row.train) == CURVE_POINTS
        assert row.seconds > 0 and all(map(math.isfinite, (*row.rungs, *row.train)))


def test_the_base_was_recorded_with_several_seeds(small) -> None:
    base = small.space.values_of(small.base)
    seeds = [row.seed for row in trainings.read("parameter_golf") if row.values == base]
    assert len(set(seeds)) >= 4
