from __future__ import annotations

from math import cos, pi, sin

import pytest

from trainable.schedules import Cosine, PredatorPrey


@pytest.mark.parametrize("progress", [0.0, 1 / 24, 0.1, 3 / 24, 0.4, 0.6, 0.97, 1.0])
def test_it_swings_six_times_around_a_cosine_and_fades(progress):
    cosine = 0.1 + 0.45 * (1 + cos(pi * progress))
    swing = 1 + 0.5 * sin(12 * pi * progress) * (1 - progress)
    assert PredatorPrey()(progress) == pytest.approx(cosine * swing, abs=1e-12)


def test_it_rises_while_its_decay_falls():
    assert PredatorPrey()(1 / 24) > Cosine()(1 / 24) and PredatorPrey()(3 / 24) < Cosine()(3 / 24)


@pytest.mark.parametrize(("field", "wrong"), [("cycles", 0), ("amplitude", 1.1), ("min_lr_frac", -0.1)])
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"PredatorPrey\.{field} is .* but must be"):
        PredatorPrey(**{field: wrong})
