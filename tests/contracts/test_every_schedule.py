"""What every schedule promises; a new file in trainable/schedules is held to it without being listed here."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainable.component import components
from trainable.config import Budget
from trainable.schedules import (
    Circadian,
    Constant,
    Cosine,
    Cosmological,
    EarlyDecay,
    OneCycle,
    Phases,
    PredatorPrey,
    Schedule,
    Warmup,
)

SHARED = "trainable."  # where modules of ours begin; a user's own schedule may be of a form that needs a line below

SCHEDULES = pytest.mark.parametrize("schedule", components("schedule"))
GRID = [i / 1000 for i in range(1001)]

# Schedules that by their formula go over 1, end elsewhere than on their floor, or go below it. A new one needs a line.
HIGHEST = {Circadian: 1 + 0.15, PredatorPrey: 1 + 0.5}
ENDS = {
    Constant: 1.0,
    Cosmological: 1 / math.sqrt(21),
    Warmup: 0.1,
    Phases: 0.1,
    EarlyDecay: 0.1,
    OneCycle: 1 / (25 * 1e4),
}
FLOORLESS = {PredatorPrey}


@SCHEDULES
def test_multipliers_lie_between_zero_and_one_from_the_first_step_to_the_last(schedule):
    shape, highest = schedule.example(), HIGHEST.get(schedule, 1.0)
    assert all(math.isfinite(shape(p)) and 0 <= shape(p) <= highest for p in GRID)


@SCHEDULES
@given(progress=st.floats(0, 1), floor=st.floats(0, 1))
def test_no_floor_and_no_progress_leads_outside_zero_to_one(schedule, progress, floor):
    shape = schedule.example()
    if hasattr(shape, "min_lr_frac"):
        shape = dataclasses.replace(shape, min_lr_frac=floor)
    assert 0 <= shape(progress) <= HIGHEST.get(schedule, 1.0)


@SCHEDULES
def test_a_momentum_is_one_or_is_left_to_the_optimizer(schedule):
    shape = schedule.example()
    assert all(momentum is None or 0 <= momentum < 1 for momentum in map(shape.momentum, GRID))


@SCHEDULES
def test_a_schedule_is_pure(schedule):
    shape = schedule.example()
    forwards = [shape(p) for p in GRID]
    backwards = [schedule.example()(p) for p in reversed(GRID)]
    assert forwards == backwards[::-1]


@SCHEDULES
def test_it_ends_on_its_floor_and_never_falls_below(schedule):
    shape = schedule.example()
    floor = getattr(shape, "min_lr_frac", None)
    if floor is None and not schedule.__module__.startswith(SHARED):
        pytest.skip("it has no floor (min_lr_frac) to end on")
    assert floor is not None or schedule in ENDS, "a schedule with an end of its own needs a line in ENDS"
    assert shape(1.0) == pytest.approx(ENDS.get(schedule, floor), abs=1e-12)
    if floor is not None and schedule not in FLOORLESS:
        assert min(map(shape, GRID)) >= floor - 1e-12


def another(value: Any) -> Any:
    """A value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Schedule):
        return Cosine(min_lr_frac=0.77)
    if isinstance(value, tuple):
        return tuple(map(another, value))
    return value + 1 if isinstance(value, int) else 0.9 * value + 0.013


@SCHEDULES
def test_every_field_changes_the_shape(schedule):
    shape = schedule.example()
    curve = [(shape(p), shape.momentum(p)) for p in GRID]
    for f in dataclasses.fields(shape):
        changed = dataclasses.replace(shape, **{f.name: another(getattr(shape, f.name))})
        assert [(changed(p), changed.momentum(p)) for p in GRID] != curve, f.name


@SCHEDULES
def test_it_is_what_the_run_trains_with(schedule, tiny, with_component, run_to_end, first_difference):
    config = with_component(schedule.example())
    reports = run_to_end(config, milestones=range(1, 7)).reports
    assert [r.multiplier for r in reports] == [config.schedule(i / 6) for i in range(6)]
    other = Cosine() if all(config.schedule(i / 6) == 1 for i in range(6)) else Constant()
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
