from __future__ import annotations

import pytest

from tuner.plan.simulated_clock import SimulatedClock


def trials(*lengths: list[float], seen: list | None = None, clock: SimulatedClock | None = None):
    """What hands out one trial after another; each notes when it reports."""
    left = iter(enumerate(lengths))

    def train(number, seconds):
        for leg in seconds:
            yield leg
            if seen is not None:
                seen.append((number, clock.seconds))

    def start():
        number, seconds = next(left, (None, None))
        return None if number is None else train(number, seconds)

    return start


@pytest.mark.parametrize(("slots", "wall"), [(1, 9.0), (2, 5.0), (3, 4.0), (64, 4.0)])
def test_more_slots_take_less_time_for_the_same_work(slots, wall) -> None:
    clock = SimulatedClock()
    clock.run(trials([4.0], [3.0], [2.0]), slots)
    assert (clock.seconds, clock.busy_seconds) == (wall, 9.0)


def test_reports_come_in_the_order_of_time_and_a_freed_slot_is_filled_at_once() -> None:
    clock, seen = SimulatedClock(), []
    clock.run(trials([1.0, 3.0], [2.0], [1.0], seen=seen, clock=clock), slots=2)
    assert seen == [(0, 1.0), (1, 2.0), (2, 3.0), (0, 4.0)]


def test_equal_moments_keep_the_order_of_the_starts() -> None:
    clock, seen = SimulatedClock(), []
    clock.run(trials([1.0], [1.0], [1.0], seen=seen, clock=clock), slots=3)
    assert [number for number, _ in seen] == [0, 1, 2]


def test_enough_ends_it_where_it_is() -> None:
    clock = SimulatedClock()
    clock.run(trials([1.0, 1.0], [1.0, 1.0]), 1, lambda: clock.busy_seconds >= 3.0)
    assert clock.seconds == 3.0


def test_a_trial_without_reports_takes_no_slot() -> None:
    clock = SimulatedClock()
    clock.run(trials([], [2.0], [], [1.0]), 1)
    assert clock.seconds == 3.0
