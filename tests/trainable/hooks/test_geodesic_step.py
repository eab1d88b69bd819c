from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.component_paths import with_values
from trainable.config import Budget
from trainable.hooks.geodesic_step import GeodesicStep, along_sphere
from trainable.hooks.weight_projection import sphere_axes
from trainable.models.ngpt import NGPT
from trainable.optimizers.muon_adam_split import MuonAdamSplit

SMALL = {"num_layers": 1, "model_dim": 8, "num_heads": 2}


def rotated(w: np.ndarray, step: np.ndarray) -> np.ndarray:
    """A vector turned in the plane of itself and the step, by the angle of the step's part across it."""
    radius = np.sqrt(w @ w)
    across = step - w * (w @ step) / radius**2
    size = np.sqrt(across @ across)
    return w * np.cos(size / radius) + radius * across / size * np.sin(size / radius)


@pytest.mark.parametrize("size", [1e-6, 0.1, 3.0])
@pytest.mark.parametrize("axis", [0, -1])
def test_each_vector_is_turned_by_its_step_and_keeps_its_length(axis, size):
    w, step = torch.randn(6, 9).double(), size * torch.randn(6, 9).double()
    found = along_sphere(w, step, axis)
    for i in range(w.shape[axis - 1]):
        one, move, here = (x.select(axis - 1, i).numpy() for x in (w, step, found))
        np.testing.assert_allclose(here, rotated(one, move), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.norm(dim=axis), w.norm(dim=axis), rtol=1e-12, atol=1e-12)


def test_a_small_step_is_the_projected_one_to_first_order_and_a_step_along_the_vector_is_none():
    w = torch.randn(5, 7).double()
    w /= w.norm(dim=-1, keepdim=True)
    step = 1e-5 * torch.randn(5, 7).double()
    projected = (w + step) / (w + step).norm(dim=-1, keepdim=True)
    torch.testing.assert_close(along_sphere(w, step, -1), projected, rtol=0, atol=1e-9)
    torch.testing.assert_close(along_sphere(w, -0.3 * w, -1), w)
    zeros = torch.zeros(2, 3)
    torch.testing.assert_close(along_sphere(zeros, zeros + 0.5, -1), zeros + 0.5)


@pytest.mark.parametrize("axis", ["embedding", "last"])
def test_a_run_keeps_all_lengths_but_not_its_weights_also_under_weight_decay(axis, tiny, run_to_end):
    """Muon on the matrices: nGPT's geodesic Muon."""
    model = NGPT(**SMALL, init_scheme="torch_default")
    config = replace(tiny, model=model, optimizer=MuonAdamSplit(), budget=Budget(steps=3))
    start = run_to_end(replace(config, budget=Budget(steps=1), optimizer=MuonAdamSplit(matrix_lr=0.0, adamw_lr=0.0)))
    moved = run_to_end(with_values(config, {"hooks.GeodesicStep.axis": axis}))
    network = model.build(260, 16)
    axes = {id(w): a for w, a in sphere_axes(network, axis)}
    weights = zip(start.numbers["network"], moved.numbers["network"], strict=True)
    for (name, w), (before, after) in zip(network.named_parameters(), weights, strict=True):
        before, after = (torch.as_tensor(x).double() for x in (before, after))
        assert not torch.equal(before, after), name
        if id(w) in axes:
            along = axes[id(w)]
            torch.testing.assert_close(after.norm(dim=along), before.norm(dim=along), rtol=1e-5, atol=1e-6)


def test_null_is_neutral_and_other_axes_are_refused():
    assert GeodesicStep.neutral() == GeodesicStep(axis=None) != GeodesicStep.example()
    with pytest.raises(ValueError, match=r"GeodesicStep\.axis is 'rows' but must be null or one of embedding, last"):
        GeodesicStep(axis="rows")
