"""What every schedule promises; a new one in trainable/schedules.py is held to it without being listed here."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainable.component import components
from trainable.config import Budget
from trainable.schedules import Constant, Cosine

SCHEDULES = pytest.mark.parametrize("schedule", components("schedule"))
GRID = [i / 1000 for i in range(1001)]


@SCHEDULES
def test_multipliers_lie_between_zero_and_one_from_the_first_step_to_the_last(schedule):
    shape = schedule.example()
    assert all(math.isfinite(shape(p)) and 0 <= shape(p) <= 1 for p in GRID)


@SCHEDULES
@given(progress=st.floats(0, 1), floor=st.floats(0, 1))
def test_no_floor_and_no_progress_leads_outside_zero_to_one(schedule, progress, floor):
    shape = schedule.example()
    if hasattr(shape, "min_lr_frac"):
        shape = dataclasses.replace(shape, min_lr_frac=floor)
    assert 0 <= shape(progress) <= 1


@SCHEDULES
def test_a_schedule_is_pure(schedule):
    shape = schedule.example()
    forwards = [shape(p) for p in GRID]
    backwards = [schedule.example()(p) for p in reversed(GRID)]
    assert forwards == backwards[::-1]


@SCHEDULES
def test_it_ends_on_its_floor(schedule):
    shape = schedule.example()
    if hasattr(shape, "min_lr_frac"):
        assert shape(1.0) == pytest.approx(shape.min_lr_frac, abs=1e-12)
        assert min(map(shape, GRID)) >= shape.min_lr_frac - 1e-12
    else:
        assert schedule is Constant, "a schedule with an end of its own needs a line of its own here"
        assert shape(1.0) == 1


@SCHEDULES
def test_every_field_changes_the_shape(schedule):
    shape = schedule.example()
    curve = [shape(p) for p in GRID]
    for f in dataclasses.fields(shape):
        value = getattr(shape, f.name)
        other = value + 1 if isinstance(value, int) else 0.9 * value + 0.02
        changed = dataclasses.replace(shape, **{f.name: other})
        assert [changed(p) for p in GRID] != curve, f.name


@SCHEDULES
def test_it_is_what_the_run_trains_with(schedule, tiny, with_component, run_to_end, first_difference):
    config = with_component(schedule.example())
    reports = run_to_end(config, milestones=range(1, 7)).reports
    assert [r.multiplier for r in reports] == [config.schedule(i / 6) for i in range(6)]
    other = Cosine(min_lr_frac=0.5) if schedule is Cosine else Cosine()
    elsewhere = run_to_end(dataclasses.replace(tiny, schedule=other)).numbers["network"]
    assert first_difference(run_to_end(config).numbers["network"], elsewhere)


@SCHEDULES
def test_a_run_resumed_from_any_step_is_bit_identical_to_the_straight_run(
    schedule, with_component, assert_resumes_identically
):
    assert_resumes_identically(with_component(schedule.example()))


@SCHEDULES
def test_it_completes_whatever_the_budget_is_counted_in(schedule, with_component, run_to_end):
    by_steps = run_to_end(with_component(schedule.example()))
    config = dataclasses.replace(with_component(schedule.example()), budget=Budget(tokens=6 * 64))
    assert run_to_end(config).last.multiplier == by_steps.last.multiplier
