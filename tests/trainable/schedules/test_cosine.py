from __future__ import annotations

from math import cos, pi

import pytest

from trainable.schedules import Cosine

M = 0.1  # the campaign's floor


@pytest.mark.parametrize(
    ("progress", "multiplier"),
    [(0.0, 1.0), (0.25, M + (1 - M) / 2 * (1 + cos(pi / 4))), (0.5, 0.55), (0.75, 0.231801948), (1.0, 0.1)],
)
def test_it_falls_once(progress, multiplier):
    assert Cosine()(progress) == pytest.approx(multiplier, abs=1e-9)


def test_with_two_cycles_it_restarts_in_the_middle_and_ends_low():
    two = Cosine(cycles=2)
    assert two(0.0) == two(0.5) == 1
    assert two(0.4999999) == pytest.approx(M, abs=1e-6)
    assert two(0.75) == pytest.approx(0.55) and two(1.0) == pytest.approx(M)
    # where the campaign's run 5 stopped, after its restart at 200 of 400
    assert two(0.6) == pytest.approx(0.914, abs=1e-3)


def test_the_recorded_multiplier_at_the_last_step_of_a_truncated_run():
    assert Cosine()(239 / 400) == pytest.approx(0.41, abs=0.0051)


def test_the_golden_floor_of_run_n5_is_a_floor_like_any_other():
    golden = Cosine(min_lr_frac=0.382)
    assert golden(0.5) == pytest.approx(0.691) and golden(1.0) == pytest.approx(0.382)


def test_a_floor_of_one_is_a_constant():
    assert Cosine(min_lr_frac=1.0)(0.7) == 1


@pytest.mark.parametrize(("field", "wrong"), [("cycles", 0), ("min_lr_frac", -0.01), ("min_lr_frac", 1.01)])
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Cosine\.{field} is .* but must be"):
        Cosine(**{field: wrong})
