from __future__ import annotations

import random

import pytest

from tuner.plan.cost import plan_search
from tuner.plan.trial_cost import Beside
from tuner.plan.wall_time import expect


def schedule(base, trials: int, slots: int, stopper: str = "asha", fidelity: str = "truncate"):
    return expect(plan_search(base, trials, slots, stopper, 640.0, fidelity), stopper, fidelity, repeats=5)


def test_without_early_stopping_every_trial_is_paid_for(toy_base) -> None:
    found = schedule(toy_base, 12, 4, stopper="none")
    assert found.compute == pytest.approx(12, rel=0.02) and found.wall == pytest.approx(3, rel=0.03)
    assert found.wall_unstopped == found.wall


def test_one_slot_takes_as_long_as_all_trials_together(toy_base) -> None:
    found = schedule(toy_base, 30, 1)
    assert found.wall == pytest.approx(found.compute) and found.compute < 0.6 * 30


def test_more_slots_shorten_the_time_and_leave_the_compute(toy_base) -> None:
    few, many = schedule(toy_base, 64, 2), schedule(toy_base, 64, 64)
    assert many.compute == pytest.approx(few.compute, rel=0.2), "who is compared with how many depends on no slots"
    assert many.wall < few.wall / 4 and many.wall >= 0.98, "the base runs to its end"


def test_a_long_search_is_more_of_the_same_and_planned_in_moments(toy_base) -> None:
    for slots in (8, 640):
        short, long = schedule(toy_base, 1000, slots), schedule(toy_base, 100_000, slots)
        assert long.compute == pytest.approx(100 * short.compute, rel=0.02)
        assert long.wall == pytest.approx(long.compute / slots, rel=0.2)


def test_a_fidelity_is_paid_for_even_where_nothing_is_stopped(toy_base) -> None:
    found = schedule(toy_base, 12, 4, stopper="none", fidelity="complete")
    assert found.compute == pytest.approx(12 * (1 + 1 / 4 + 1 / 2), rel=0.02)
    assert plan_search(toy_base, 12, 4, "none", 640.0, "complete").expected_share == pytest.approx(1.75)


def test_few_trials_cost_more_each_than_many(toy_base) -> None:
    assert schedule(toy_base, 8, 8).compute / 8 > schedule(toy_base, 200, 8).compute / 200


def test_many_trials_come_near_to_the_share_that_the_rungs_are_made_for(toy_base) -> None:
    expected = plan_search(toy_base, 600, 1, "asha", 640.0).expected_share
    found = schedule(toy_base, 600, 1).compute / 600
    assert found == pytest.approx(expected, rel=0.05)  # 0.501 over 60 schedules, with a deviation of 0.013 of one


def test_stopping_trials_never_takes_longer_than_stopping_none(toy_base) -> None:
    draw = random.Random(5)
    for _ in range(150):
        trials, slots = draw.randint(1, 40), draw.randint(1, 50)
        stopper = draw.choice(["predictive", "asha", "hyperband", "median", "none"])
        fidelity = draw.choice(["truncate", "complete", "branch"])
        beside = Beside(start=draw.random(), on_the_way=draw.random(), at_the_end=draw.random())
        plan = plan_search(
            toy_base, trials, slots, stopper, 640.0, fidelity, draw.choice([None, beside]), draw.randint(0, 3)
        )
        found = expect(plan, stopper, fidelity, repeats=2)
        assert found.wall <= found.wall_unstopped, (plan, stopper, fidelity)
        assert found.wall_unstopped >= -(-trials // slots) * 0.98 * sum(plan.costs(fidelity)), "each trial is whole"


def test_a_search_in_one_wave_takes_as_long_with_early_stopping_as_without(toy_base) -> None:
    found = schedule(toy_base, 6, 8)  # the base runs to its end whatever happens to the others
    assert found.wall <= found.wall_unstopped <= 1.03


@pytest.mark.parametrize("stopper", ["asha", "hyperband", "median", "predictive"])
def test_each_stopper_saves_something(toy_base, stopper) -> None:
    assert schedule(toy_base, 60, 2, stopper).compute < 55


def test_a_run_of_its_own_for_each_rung_costs_more(toy_base) -> None:
    assert schedule(toy_base, 40, 2, fidelity="complete").compute > schedule(toy_base, 40, 2).compute
