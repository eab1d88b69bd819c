from __future__ import annotations

from math import cos, pi

import pytest

from trainable.schedules import Breathing, Constant, Cosine, Tidal, Warmdown

M = 0.1  # the campaign's floor


@pytest.mark.parametrize(
    ("progress", "multiplier"),
    [
        (0.0, M),
        (0.191, M + (1 - M) / 2),  # half way up
        (0.382, 1.0),
        (0.691, M + (1 - M) / 2),  # half way down: 0.382 + 0.618 / 2
        (0.5365, M + (1 - M) / 2 * (1 + cos(pi / 4))),
        (1.0, M),
    ],
)
def test_tidal_rises_to_the_golden_section_and_falls_as_a_cosine(progress, multiplier):
    assert Tidal()(progress) == pytest.approx(multiplier, abs=1e-12)


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
def test_breathing_rises_holds_and_falls_at_nineteenths(progress, multiplier):
    assert Breathing()(progress) == pytest.approx(multiplier, abs=1e-12)


@pytest.mark.parametrize(
    ("progress", "multiplier"),
    [(0.0, 1.0), (0.25, M + (1 - M) / 2 * (1 + cos(pi / 4))), (0.5, 0.55), (0.75, 0.231801948), (1.0, 0.1)],
)
def test_cosine_falls_once(progress, multiplier):
    assert Cosine()(progress) == pytest.approx(multiplier, abs=1e-9)


def test_cosine_with_two_cycles_restarts_in_the_middle_and_ends_low():
    two = Cosine(cycles=2)
    assert two(0.0) == two(0.5) == 1
    assert two(0.4999999) == pytest.approx(M, abs=1e-6)
    assert two(0.75) == pytest.approx(0.55) and two(1.0) == pytest.approx(M)
    assert two(0.6) == pytest.approx(
        0.914, abs=1e-3
    )  # where the campaign's run 5 stopped, after its restart at 200 of 400


@pytest.mark.parametrize(("progress", "multiplier"), [(0.0, 1.0), (0.6, 1.0), (0.7, 0.775), (0.8, 0.55), (1.0, 0.1)])
def test_warmdown_holds_and_falls_linearly(progress, multiplier):
    assert Warmdown(warmdown_frac=0.4, min_lr_frac=0.1)(progress) == pytest.approx(multiplier)


def test_constant_is_one():
    assert Constant()(0.0) == Constant()(1.0) == 1


@pytest.mark.parametrize(
    ("schedule", "step", "recorded"),
    [
        (Cosine(), 240, 0.41),
        (Tidal(), 240, 0.76),
        (Tidal(), 260, 0.65),
        (Tidal(), 276, 0.56),
        (Breathing(), 240, 0.996),
    ],
)
def test_the_recorded_multipliers_at_the_last_step_of_a_truncated_run(schedule, step, recorded):
    assert schedule((step - 1) / 400) == pytest.approx(recorded, abs=0.0051 if recorded < 0.9 else 0.0011)


@pytest.mark.parametrize(
    ("cls", "field", "wrong"),
    [
        (Warmdown, "warmdown_frac", 0.0),
        (Warmdown, "warmdown_frac", 1.1),
        (Cosine, "cycles", 0),
        (Tidal, "warmup_frac", 1.0),
        (Tidal, "warmup_frac", -0.1),
        (Breathing, "warm_frac", 1.0),
        (Breathing, "hold_end", 0.1),
        (Breathing, "hold_end", 1.0),
        *((cls, "min_lr_frac", wrong) for cls in (Warmdown, Cosine, Tidal, Breathing) for wrong in (-0.01, 1.01)),
    ],
)
def test_a_shape_out_of_its_range_is_refused(cls, field, wrong):
    with pytest.raises(ValueError, match=rf"{cls.__name__}\.{field} is .* but must be"):
        cls(**{field: wrong})


def test_the_ends_of_the_ranges_are_shapes_too():
    assert Tidal(warmup_frac=0.0)(0.0) == 1
    assert Breathing(warm_frac=0.0, hold_end=0.0)(0.0) == 1
    assert Warmdown(warmdown_frac=1.0)(0.25) == 0.75
    assert Cosine(min_lr_frac=1.0)(0.7) == 1
