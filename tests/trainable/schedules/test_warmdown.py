from __future__ import annotations

import pytest

from trainable.schedules import Constant, Phases, Warmdown


@pytest.mark.parametrize(("progress", "multiplier"), [(0.0, 1.0), (0.6, 1.0), (0.7, 0.775), (0.8, 0.55), (1.0, 0.1)])
def test_it_holds_and_falls_linearly(progress, multiplier):
    assert Warmdown(warmdown_frac=0.4, min_lr_frac=0.1)(progress) == pytest.approx(multiplier)


def test_it_may_fall_from_the_start():
    assert Warmdown(warmdown_frac=1.0)(0.25) == 0.75


@pytest.mark.parametrize("step", [1, 2, 100, 239])
def test_longer_than_the_run_it_starts_in_the_middle_of_its_slope(step):
    """Runs W1, W2, W3, W6: 1200 steps of warmdown, of which a slow device did 240 in its 600 seconds."""
    steps, seconds_a_step, limit_seconds = 240, 2.5, 600.0
    elapsed = step * seconds_a_step
    upstream = (limit_seconds - elapsed) / (1200 * elapsed / step)
    assert Warmdown(warmdown_frac=1200 / steps)(elapsed / limit_seconds) == pytest.approx(upstream)
    assert upstream < 0.2


def test_upstreams_full_first_step_under_a_time_limit_is_a_phase_of_its_own():
    slope = Warmdown(warmdown_frac=5.0)
    upstream = Phases(first=Constant(), second=slope, at=1e-9)
    assert upstream(0.0) == 1
    assert upstream(1 / 240) == pytest.approx(slope(1 / 240), abs=1e-8)


@pytest.mark.parametrize(("field", "wrong"), [("warmdown_frac", 0.0), ("min_lr_frac", -0.01), ("min_lr_frac", 1.01)])
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Warmdown\.{field} is .* but must be"):
        Warmdown(**{field: wrong})
