from __future__ import annotations

import pytest

from trainable.schedules import Constant, Cosine, Phases, Tidal, Warmdown


def test_each_phase_sees_its_own_progress():
    shape = Phases(first=Warmdown(warmdown_frac=1.0), second=Cosine(min_lr_frac=0.1), at=0.25)
    assert [shape(p) for p in (0.0, 0.125, 0.25, 0.625, 1.0)] == pytest.approx([1.0, 0.5, 1.0, 0.55, 0.1])


def test_three_phases_are_two_within_one():
    shape = Phases(first=Constant(), second=Phases(first=Tidal(), second=Constant(), at=0.5), at=0.5)
    assert shape(0.5 + 0.25 * 0.191) == pytest.approx(0.55) and shape(0.49) == shape(0.76) == 1


@pytest.mark.parametrize("at", [0.0, 1.0, -0.5])
def test_the_border_lies_within_the_run(at):
    with pytest.raises(ValueError, match=r"Phases\.at is .* but must be in \(0, 1\)"):
        Phases(at=at)
