from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.evaluation import quantise

BITS = pytest.mark.parametrize("bits", [8, 7, 6, 5, 4])


def rounded(w: np.ndarray, bits: int, min_clip: float) -> tuple[np.ndarray, np.ndarray]:
    """By definition, in float64: integers and the scales before they are stored as halves."""
    levels = 2 ** (bits - 1) - 1
    clip = np.quantile(np.abs(w), 0.9999984, axis=1)
    scale = np.maximum(np.maximum(clip, min_clip) / levels, 2.0**-24)
    clipped = np.clip(w, -clip[:, None], clip[:, None])
    return np.clip(np.round(clipped / scale[:, None]), -levels, levels), scale


@pytest.fixture
def matrix() -> np.ndarray:
    """Rows of small and large weights, one with an outlier, one of zeros."""
    w = np.random.default_rng(0).normal(size=(9, 300)) * np.geomspace(0.01, 10, 9)[:, None]
    w[3, 7], w[5] = 40.0, 0.0
    return w.astype(np.float32).astype(np.float64)


@BITS
@pytest.mark.parametrize("min_clip", [0.0, 1.0])
def test_rows_are_rounded_as_the_formula_says(matrix, bits, min_clip):
    integers, scales = quantise.by_row(torch.tensor(matrix), bits, min_clip)
    expected, scale = rounded(matrix, bits, min_clip)
    assert integers.dtype == torch.int8 and scales.dtype == torch.float16
    near_half = np.abs(np.abs(matrix / scale[:, None] % 1) - 0.5) < 1e-4  # where fp32 may round the other way
    assert ((integers.numpy() == expected) | near_half).all() and near_half.mean() < 0.01
    assert scales.double().numpy() == pytest.approx(scale, rel=2**-10, abs=2.0**-24)


def test_at_8_bits_no_scale_is_below_the_competitions(matrix):
    _, scales = quantise.by_row(torch.tensor(matrix), 8, 1.0)
    assert scales.min() == np.float16(1 / 127)


@BITS
@pytest.mark.parametrize("min_clip", [0.0, 1.0])
def test_reading_back_is_off_by_at_most_half_a_step_and_the_rounding_of_the_scale(matrix, bits, min_clip):
    integers, scales = quantise.by_row(torch.tensor(matrix), bits, min_clip)
    back = quantise.dequantised(integers, scales).double().numpy()
    _, scale = rounded(matrix, bits, min_clip)
    clip = np.quantile(np.abs(matrix), 0.9999984, axis=1)[:, None]
    beyond = np.maximum(np.abs(matrix) - clip, 0)
    half_precision = np.abs(integers.numpy()) * np.maximum(scale * 2**-11, 2.0**-25)[:, None]
    assert (np.abs(back - matrix) <= 0.5001 * scale[:, None] + half_precision + beyond).all()
    assert not back[5].any()


@BITS
def test_a_tensor_of_another_shape_has_one_scale(bits):
    t = np.random.default_rng(0).normal(size=(4, 5, 6)) * 3
    integers, scale = quantise.whole(torch.tensor(t), bits)
    levels = 2 ** (bits - 1) - 1
    clip = np.quantile(np.abs(t), 0.9999984)
    assert scale.item() == pytest.approx(clip / levels, rel=1e-5) and scale.shape == ()
    assert (integers.numpy() == np.round(np.clip(t, -clip, clip) / (clip / levels))).mean() > 0.99
    assert np.abs(quantise.dequantised(integers, scale).numpy() - t).max() <= 0.5001 * clip / levels


def test_a_tensor_of_zeros_stays_one():
    integers, scale = quantise.whole(torch.zeros(2, 3, 4), 8)
    assert scale == 1 and not quantise.dequantised(integers, scale).any()


@pytest.mark.parametrize("shape", [(1,), (2,), (5, 1000), (2, 700_000)])
@pytest.mark.parametrize("q", [0.9999984, 0.999, 1.0])
def test_the_quantile_is_that_of_numpy(shape, q):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert quantise.quantile(torch.tensor(x), q).numpy() == pytest.approx(np.quantile(x, q, axis=-1), rel=1e-5)
