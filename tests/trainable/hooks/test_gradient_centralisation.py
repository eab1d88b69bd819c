from __future__ import annotations

import numpy as np
import pytest

from trainable.hooks.gradient_centralisation import GradientCentralisation


@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_the_mean_of_each_row_is_taken_away_and_vectors_are_left_alone(strength, make_step, in_float64):
    step = make_step()
    before = in_float64(p.grad for p in step.parameters())
    GradientCentralisation(strength=strength).after_backward(step, {})
    for old, new in zip(before, in_float64(p.grad for p in step.parameters()), strict=True):
        wanted = old - strength * old.mean(axis=1, keepdims=True) if old.ndim == 2 else old
        np.testing.assert_allclose(new, wanted, rtol=1e-5, atol=1e-6)


def test_its_range():
    for wrong in (1.1, -0.1):
        with pytest.raises(ValueError, match=r"GradientCentralisation\.strength is .* but must be in \[0, 1\]"):
            GradientCentralisation(strength=wrong)
