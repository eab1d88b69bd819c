"""The values at a rung: their order, a cutoff among them, and how many of them a decision looks at."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tuner.early_stopping import Stopper
from tuner.rung_values import RungValues, best_part


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=40), st.integers(2, 9))
@example([0.11, 2.05], 2)  # the middle taken from below is 1.08, from above 1.0799999999999998
def test_a_cutoff_is_numpys_percentile_to_the_last_bit(values, reduction) -> None:
    assert best_part(sorted(values), reduction) == -np.percentile([-v for v in values], (1 - 1 / reduction) * 100)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.one_of(st.none(), st.sampled_from([1.0, 2.0, 2.5, 3.0])))))
def test_the_order_is_that_of_the_values_whatever_is_set_and_forgotten(changes) -> None:
    rung, expected = RungValues(), {}
    for key, value in changes:
        if value is None:
            rung.forget(key)
            expected.pop(key, None)
        else:
            rung[key] = expected[key] = value
        assert rung == expected and rung.ascending == sorted(expected.values())


class Compared(float):
    """A value that counts how often one is compared."""

    times = 0

    def __lt__(self, other: float) -> bool:
        Compared.times += 1
        return float(self) < float(other)

    def __gt__(self, other: float) -> bool:
        Compared.times += 1
        return float(self) > float(other)


def test_a_decision_compares_few_values_however_many_trials_have_been_there() -> None:
    stopper = Stopper("asha", "val_bpb", [27.0])
    for number in range(1000):
        stopper.record(27.0, f"{number}", Compared(number * 7919 % 1000))
    Compared.times = 0
    assert stopper.ends("worst", {"milestone": 27.0, "val_bpb": Compared(2000)})
    assert not stopper.ends("best", {"milestone": 27.0, "val_bpb": Compared(-1)})
    assert Compared.times < 50


def test_news_of_a_rung_compare_few_values_however_many_trials_have_been_there() -> None:
    stopper = Stopper("predictive", "val_bpb", [27.0])
    for number in range(1000):
        stopper.record(27.0, f"{number}", Compared(number * 7919 % 1000))
    for number in range(40):
        stopper.finished(f"{number}", float(number * 7919 % 1000))
    assert len(stopper.news()) == 1, "it is known what this rung tells of the ends"
    Compared.times = 0
    assert stopper.news() == [] and Compared.times < 50
