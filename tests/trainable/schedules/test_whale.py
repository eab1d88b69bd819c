from __future__ import annotations

from math import cos, pi

import pytest

from trainable.schedules import Whale

M = 0.05


@pytest.mark.parametrize(
    ("progress", "multiplier"),
    [
        (0.0, M),
        (1 / 60, M + 0.95 * (1 - 0.3 / 60) / 2),  # half way up the first rise
        (1 / 30, M + 0.95 * (1 - 0.3 / 30)),  # the first peak
        (0.5, M + 0.95 * 0.85 / 2 * (1 + cos(pi * 0.4 / 0.9))),  # in the second dive, at half of its cycle
        (0.1 / 3 + 0.15, M + 0.95 * (1 - 0.3 * (0.1 / 3 + 0.15)) / 2),  # half way down the first dive
        (0.95, M),  # below the floor before it is lifted: the ending halves what the dive left
        (1.0, M),
    ],
)
def test_it_rises_fast_and_dives_slowly_three_times(progress, multiplier):
    assert Whale()(progress) == pytest.approx(multiplier, abs=1e-12)


def test_each_peak_is_lower_than_the_one_before():
    peaks = [Whale()((cycle + 0.1) / 3) for cycle in range(3)]
    assert peaks == pytest.approx([M + 0.95 * (1 - 0.3 * (cycle + 0.1) / 3) for cycle in range(3)])
    assert peaks[0] > peaks[1] > peaks[2]


def test_the_last_tenth_falls_to_the_floor_whatever_the_dive():
    shape = Whale(cycles=1, min_lr_frac=0.0)
    dive = (1 - 0.3 * 0.92) / 2 * (1 + cos(pi * 0.82 / 0.9))
    assert shape(0.92) == pytest.approx(dive * 0.8)


@pytest.mark.parametrize(("field", "wrong"), [("cycles", 0), ("min_lr_frac", -0.01), ("min_lr_frac", 1.01)])
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Whale\.{field} is .* but must be"):
        Whale(**{field: wrong})
