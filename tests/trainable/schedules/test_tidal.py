from __future__ import annotations

from math import cos, pi

import pytest

from trainable.schedules import Tidal

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
def test_it_rises_to_the_golden_section_and_falls_as_a_cosine(progress, multiplier):
    assert Tidal()(progress) == pytest.approx(multiplier, abs=1e-12)


@pytest.mark.parametrize(("step", "recorded"), [(240, 0.76), (260, 0.65), (276, 0.56)])
def test_the_recorded_multipliers_at_the_last_step_of_a_truncated_run(step, recorded):
    assert Tidal()((step - 1) / 400) == pytest.approx(recorded, abs=0.0051)


def test_without_a_warmup_it_starts_at_one():
    assert Tidal(warmup_frac=0.0)(0.0) == 1


@pytest.mark.parametrize(
    ("field", "wrong"), [("warmup_frac", 1.0), ("warmup_frac", -0.1), ("min_lr_frac", -0.01), ("min_lr_frac", 1.01)]
)
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Tidal\.{field} is .* but must be"):
        Tidal(**{field: wrong})
