from __future__ import annotations

import pytest

from trainable.component_paths import get_value, with_values
from trainable.config import TrainConfig
from trainable.schedules import Constant, Cosine, Phases, Tidal, Warmdown, Warmup


def test_it_rises_to_the_start_of_the_inner_schedule_and_leaves_it_what_remains():
    shape = Warmup(frac=0.2, inner=Cosine(min_lr_frac=0.1))
    assert [shape(p) for p in (0.0, 0.05, 0.2, 0.6, 1.0)] == pytest.approx([0.0, 0.25, 1.0, 0.55, 0.1])
    low = Warmup(frac=0.5, start_frac=0.5, inner=Warmdown(warmdown_frac=2.0))  # which starts at a half itself
    assert [low(p) for p in (0.0, 0.25, 0.5, 0.75)] == pytest.approx([0.25, 0.375, 0.5, 0.25])


def test_tidal_is_a_cosine_with_a_warmup():
    tidal, composed = Tidal(), Warmup(frac=0.382, start_frac=0.1, inner=Cosine())
    assert all(composed(i / 97) == pytest.approx(tidal(i / 97), abs=1e-12) for i in range(98))


def test_of_no_length_it_is_the_inner_schedule():
    assert all(Warmup(frac=0.0)(i / 10) == Cosine()(i / 10) for i in range(11))


def test_knobs_of_the_inner_schedule_have_paths_of_their_own():
    config = with_values(
        TrainConfig(), {"schedule": "Warmup", "schedule.inner": "Tidal", "schedule.inner.min_lr_frac": 0.3}
    )
    assert config.schedule == Warmup(inner=Tidal(min_lr_frac=0.3))
    assert get_value(config, "schedule.inner.warmup_frac") == 0.382


def test_combinations_nest():
    shape = Warmup(frac=0.5, inner=Phases(first=Constant(), second=Warmup(frac=0.5), at=0.5))
    assert [shape(p) for p in (0.25, 0.5, 0.74, 0.75, 0.8125, 0.875)] == pytest.approx([0.5, 1, 1, 0, 0.5, 1])


@pytest.mark.parametrize(("field", "wrong"), [("frac", 1.0), ("frac", -0.1), ("start_frac", 1.1)])
def test_a_shape_out_of_its_range_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"Warmup\.{field} is .* but must be"):
        Warmup(**{field: wrong})
