from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.statistics.predictive_termination import (
    AS_FAR,
    FEWEST_FINISHED,
    PART_OF_A_CHANCE,
    Extrapolation,
    evidence,
    least_chance,
    orders,
)

LINE = [(3.0, 2.0), (3.1, 2.12), (3.2, 2.18), (3.3, 2.33), (3.4, 2.37), (3.5, 2.5)]
number = st.floats(-1e150, 1e150)


def line(pairs=LINE, best=2.0) -> Extrapolation:
    found = Extrapolation.through(pairs, best)
    assert found is not None
    return found


def test_the_line_is_that_of_least_squares() -> None:
    found = line()
    assert found.slope == pytest.approx(0.97143, abs=1e-5) and found.finished == 6
    assert (found.mean_value, found.mean_end) == (pytest.approx(3.25), pytest.approx(2.25))
    assert found.sd == pytest.approx(0.0247848, abs=1e-7), "over four degrees of freedom"


def test_the_chance_is_that_of_student_s_t_around_the_line() -> None:
    """At 3.1 the line has 2.10429, the deviation is 0.0247848 sqrt(1 + 1/6 + 0.15^2 / 0.175), so that 2.0 lies 3.69713
    of them below: with 4 degrees of freedom (scipy's t.cdf).
    """
    assert line().chance(3.1) == pytest.approx(0.0104439137389)
    assert line().chance(2.9) > 0.5 > line().chance(3.0) > line().chance(3.1) > line().chance(3.2) > 0


def test_what_the_ends_scatter_the_chance_has() -> None:
    rough = [(value, end + (-1) ** place * 0.2) for place, (value, end) in enumerate(LINE)]
    assert line(rough, best=1.9).chance(3.4) > 10 * line(best=1.9).chance(3.4)


def test_values_that_do_not_order_the_ends_have_no_small_chance() -> None:
    turned = [(value, -end) for value, end in LINE]
    assert Extrapolation.through(turned, -2.5).chance(9.0) == 1.0 and line(turned, -2.5).cutoff(0.1) is None
    mixed = [(3.0, 2.3), (3.1, 2.0), (3.2, 2.5), (3.3, 2.1), (3.4, 2.4), (3.5, 2.2)]
    assert line(mixed).cutoff(least_chance(6)) is None


def test_under_six_finished_trials_and_equal_values_tell_nothing() -> None:
    assert FEWEST_FINISHED == 5 and Extrapolation.through(LINE[:4], 2.0) is None
    assert Extrapolation.through([(3.0, end) for _, end in LINE], 2.0) is None
    assert Extrapolation.through([(value, 2.0) for value, _ in LINE], 2.0) is None


def test_a_failure_far_off_the_line_counts_as_no_worse_than_the_best_is_better() -> None:
    middle = 3.3
    assert AS_FAR == 1.0
    far, near = line([*LINE, (9.0, 7.0)]), line([*LINE, (middle + middle - 3.0, 2.33 + 2.33 - 2.0)])
    assert far.worst == pytest.approx(3.6)
    for value in (3.2, 3.4, 99.0):
        assert far.chance(value) == pytest.approx(near.chance(value))


def test_a_worse_value_never_has_a_better_chance_though_the_line_is_least_certain_far_out() -> None:
    rough = [(3.0, 2.0), (3.1, 2.4), (3.2, 2.3), (3.3, 2.5), (3.4, 2.45), (3.5, 2.6)]
    chances = [line(rough, 1.9).chance(2.5 + number / 50) for number in range(100)]
    assert chances == sorted(chances, reverse=True)


def test_the_cutoff_is_where_the_chance_falls_below_the_least() -> None:
    found = line()
    cutoff = found.cutoff(0.05)
    assert cutoff is not None
    assert found.chance(cutoff + 1e-6) < 0.05 < found.chance(cutoff - 1e-6)
    assert found.cutoff(0.0) is None


def test_a_trial_stops_below_half_of_the_chance_that_it_had_unseen() -> None:
    assert PART_OF_A_CHANCE == 0.5 and least_chance(10) == 0.05 and least_chance(0) == 0.5


def test_so_far_out_that_no_float_holds_it_the_chance_is_that_of_the_slope() -> None:
    rough = [(3.0, 2.0), (3.1, 2.4), (3.2, 2.3), (3.3, 2.5), (3.4, 2.45), (3.5, 2.6)]
    found = line([(1e-130 * value, end) for value, end in rough], 1.9)
    far = [found.chance(-(10.0**power)) for power in (-120, -100, 95, 149)]
    assert far == pytest.approx([far[0]] * 4) and 0.95 < far[0] < 0.999


def test_a_line_whose_slope_or_scatter_no_float_holds_is_none() -> None:
    assert Extrapolation.through([*[(0.0, 0.0)] * 5, (-1e-161, -1e150)], -1e150) is None
    assert Extrapolation.through([*[(0.0, 0.0)] * 5, (-1.0, -1e-161)], -1e-161) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(number, number), min_size=6, max_size=12), number)
def test_whatever_the_values_are_a_chance_is_one(pairs, value) -> None:
    found = Extrapolation.through(pairs, min(end for _, end in pairs))
    if found is None:
        return
    assert 0 <= found.chance(value) <= 1
    cutoff = found.cutoff(0.05)
    assert cutoff is None or math.isfinite(cutoff)


def test_the_rank_correlation_is_spearman_s_with_ties_and_its_interval() -> None:
    found = orders([(1.0, 1.0), (2.0, 3.0), (2.0, 2.0), (4.0, 5.0), (5.0, 4.0), (6.0, 6.0)])
    assert found is not None and found.value == pytest.approx(0.92763366)
    assert found.low < found.value < found.high and found.pairs == 6
    assert orders([(1.0, float(n)) for n in range(9)]) is None and orders(LINE[:4]) is None


def test_a_line_says_what_a_rung_tells_over_how_many_trials_and_what_is_done() -> None:
    assert evidence(60.0, LINE, 3.14159).startswith(
        "rung 60 orders the ends with rank correlation 1.00 (1.00 to 1.00) over 6 "
    )
    assert evidence(60.0, LINE, 3.14159).endswith("trials above 3.1416 stop there")
    assert evidence(0.0125, LINE, None).endswith("over 6 finished trials, which is not enough: trials run on")


def test_stopping_by_it_seldom_stops_the_best_of_a_made_up_pool() -> None:
    """Of 300 pools of 24 with a correlation of .8, half of 1 / 24 at most is lost for each stopped trial."""
    draw, lost, stopped = random.Random(1), 0, 0
    for _ in range(300):
        ends = [draw.gauss(0, 1) for _ in range(24)]
        values = [0.8 * end + 0.6 * draw.gauss(0, 1) for end in ends]
        finished: list[int] = []
        for trial in range(24):
            best = min((ends[n] for n in finished), default=0.0)
            found = Extrapolation.through([(values[n], ends[n]) for n in finished], best)
            if found is not None and found.chance(values[trial]) < least_chance(trial + 1):
                stopped += 1
                lost += ends[trial] == min(ends)
            else:
                finished.append(trial)
    assert 0.3 < stopped / (300 * 24) < 0.7 and 0.0 < lost / 300 < 0.16
