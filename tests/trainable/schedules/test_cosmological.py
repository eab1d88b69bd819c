from __future__ import annotations

import pytest

from trainable.schedules import Cosmological


@pytest.mark.parametrize(
    ("progress", "multiplier"),
    [(0.0, 0.05), (0.025, 0.525), (0.05, 2**-0.5), (0.15, 0.5), (0.4, 1 / 3), (0.75, 0.25), (1.0, 21**-0.5)],
)
def test_it_warms_up_drops_and_cools(progress, multiplier):
    assert Cosmological()(progress) == pytest.approx(multiplier, abs=1e-12)


def test_the_floor_ends_the_cooling():
    assert Cosmological(min_lr_frac=0.3)(0.75) == 0.3


@pytest.mark.parametrize(("field", "wrong"), [("alpha", -1.0), ("warmup_frac", 1.1), ("min_lr_frac", -0.1)])
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Cosmological\.{field} is .* but must be"):
        Cosmological(**{field: wrong})
