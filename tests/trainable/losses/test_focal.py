from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.losses.focal import Focal


def probabilities(outputs) -> np.ndarray:
    """Of the targets, in float64."""
    e = np.exp(outputs.logits.detach().numpy().reshape(10, 7))
    return (e / e.sum(1, keepdims=True))[np.arange(10), outputs.targets.numpy().reshape(10)]


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_with_cross_entropy_it_is_the_focal_loss(gamma, make_outputs):
    outputs = make_outputs()
    p = probabilities(outputs)
    total = outputs.cross_entropy + Focal(gamma=gamma)(outputs)
    assert total.item() == pytest.approx(((1 - p) ** gamma * -np.log(p)).mean(), rel=1e-12)


@pytest.mark.parametrize(("anneal", "progress", "gamma"), [(1.0, 0.25, 1.5), (0.5, 0.5, 1.5), (1.0, 1.0, 0.0)])
def test_annealing_takes_gamma_away_with_progress(anneal, progress, gamma, make_outputs):
    outputs = make_outputs(progress=torch.tensor(progress))
    p = probabilities(outputs)
    total = outputs.cross_entropy + Focal(gamma=2.0, anneal=anneal)(outputs)
    assert total.item() == pytest.approx(((1 - p) ** gamma * -np.log(p)).mean(), rel=1e-12)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 2.0])
def test_a_certain_token_has_a_finite_gradient(gamma, make_outputs):
    outputs = make_outputs(scale=1e4)
    assert (outputs.per_token() == 0).any()
    (gradient,) = torch.autograd.grad(Focal(gamma=gamma)(outputs), outputs.logits)
    assert gradient.isfinite().all()


def test_its_ranges():
    for wrong in ({"weight": 0.0}, {"weight": 1.1}, {"gamma": -1.0}, {"anneal": 1.1}):
        with pytest.raises(ValueError, match=r"Focal\..* but must be"):
            Focal(**wrong)
