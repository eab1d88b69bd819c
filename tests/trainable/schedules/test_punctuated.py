from __future__ import annotations

from math import exp

import pytest

from trainable.schedules import Punctuated


@pytest.mark.parametrize("centre", [0.25, 0.5, 0.75])
def test_it_bursts_at_its_centres_and_is_low_between_them(centre):
    shape = Punctuated()
    assert shape(centre) == 1
    assert shape(centre + 0.03) == pytest.approx(0.2 + 0.8 * exp(-0.5))
    assert shape(centre - 0.06) == pytest.approx(0.2 + 0.8 * exp(-2))
    assert shape(centre + 0.125) == pytest.approx(0.2, abs=2e-4)


def test_the_nearest_burst_counts_alone():
    assert Punctuated(centres=(0.4, 0.6), width=0.1)(0.5) == pytest.approx(0.2 + 0.8 * exp(-0.5))


def test_a_burst_may_be_as_narrow_as_a_step():
    assert Punctuated(width=1e-30)(0.5) == 1 and Punctuated(width=1e-30)(0.4) == 0.2


@pytest.mark.parametrize(
    ("field", "wrong"), [("centres", ()), ("centres", (0.5, 1.2)), ("width", 0.0), ("min_lr_frac", 1.1)]
)
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Punctuated\.{field} is .* but must be"):
        Punctuated(**{field: wrong})
