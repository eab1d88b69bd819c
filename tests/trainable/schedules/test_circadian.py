from __future__ import annotations

from math import cos, pi, sin

import pytest

from trainable.schedules import Circadian, Cosine


@pytest.mark.parametrize("step", [0, 1, 12, 25, 137, 200, 239])
def test_it_is_the_campaigns_day_of_fifty_steps_on_a_cosine_over_four_hundred(step):
    progress = step / 400
    cosine = 0.1 + 0.45 * (1 + cos(pi * progress))
    assert Circadian()(progress) == pytest.approx(cosine + 0.15 * (1 - progress) * sin(2 * pi * step / 50), abs=1e-12)


def test_by_day_it_exceeds_one_and_at_night_it_stops_at_the_floor():
    assert Circadian()(12 / 400) > 1.1
    night = Circadian(amplitude=1.0)
    assert night(37 / 400) == 0.1 and night(387 / 400) == 0.1


def test_without_an_amplitude_it_is_a_cosine():
    assert all(Circadian(amplitude=0.0)(i / 10) == Cosine()(i / 10) for i in range(11))


@pytest.mark.parametrize(("field", "wrong"), [("periods", 0.0), ("amplitude", -0.1), ("min_lr_frac", 1.01)])
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Circadian\.{field} is .* but must be"):
        Circadian(**{field: wrong})
