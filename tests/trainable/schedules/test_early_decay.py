from __future__ import annotations

import pytest

from trainable.schedules import Constant, Cosine, EarlyDecay, Warmdown


def test_it_is_the_inner_schedule_until_it_decays_linearly_to_where_that_ends() -> None:
    schedule = EarlyDecay(inner=Warmdown(warmdown_frac=0.5, min_lr_frac=0.1), at=0.4, frac=0.2)
    assert [schedule(p) for p in (0.0, 0.4, 0.5, 0.6, 1.0)] == pytest.approx([1.0, 1.0, 0.55, 0.1, 0.1])


def test_a_schedule_that_never_decays_stays_where_it_is() -> None:
    assert EarlyDecay(inner=Constant(), at=0.4, frac=0.2)(0.5) == 1.0


@pytest.mark.parametrize(("field", "value"), [("at", 1.0), ("at", -0.1), ("frac", 0.0), ("frac", 1.1)])
def test_values_that_make_no_decay_are_refused(field, value) -> None:
    with pytest.raises(ValueError, match=field):
        EarlyDecay(inner=Cosine(), **{field: value})
