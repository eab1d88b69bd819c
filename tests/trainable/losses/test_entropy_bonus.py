from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.losses.entropy_bonus import EntropyBonus


def test_it_is_the_mean_entropy_of_the_predictions(make_outputs):
    outputs = make_outputs()
    e = np.exp(outputs.logits.detach().numpy().reshape(10, 7))
    p = e / e.sum(1, keepdims=True)
    assert EntropyBonus()(outputs).item() == pytest.approx(-(p * np.log(p)).sum(1).mean(), rel=1e-12)


def test_a_certain_prediction_has_none_and_a_finite_gradient(make_outputs):
    outputs = make_outputs(scale=1e4)
    value = EntropyBonus()(outputs)
    (gradient,) = torch.autograd.grad(value, outputs.logits)
    assert value.item() == pytest.approx(0, abs=1e-9) and gradient.isfinite().all()


def test_its_weight_may_have_either_sign():
    assert EntropyBonus(weight=-0.1).weight == -0.1
