from __future__ import annotations

import pytest

from trainable.schedules import Breathing

M = 0.1  # the campaign's floor


@pytest.mark.parametrize(
    ("progress", "multiplier"),
    [
        (0.0, M),
        (2 / 19, M + (1 - M) / 2),
        (4 / 19, 1.0),
        (10.9 / 19, 1.0),
        (11 / 19, 1.0),
        (15 / 19, M + (1 - M) / 2),
        (1.0, M),
    ],
)
def test_it_rises_holds_and_falls_at_nineteenths(progress, multiplier):
    assert Breathing()(progress) == pytest.approx(multiplier, abs=1e-12)


def test_the_recorded_multiplier_at_the_last_step_of_a_truncated_run():
    assert Breathing()(239 / 400) == pytest.approx(0.996, abs=0.0011)


def test_it_may_fall_at_once():
    assert Breathing(warm_frac=0.0, hold_end=0.0)(0.0) == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("warm_frac", 1.0), ("hold_end", 0.1), ("hold_end", 1.0), ("min_lr_frac", -0.01), ("min_lr_frac", 1.01)],
)
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Breathing\.{field} is .* but must be"):
        Breathing(**{field: wrong})
