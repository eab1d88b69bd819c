"""Singular values of the maps against the table measured with the published code; precisions agree to 0.02."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainable.component import components
from trainable.optimizers.almost_orthogonal import AlmostOrthogonal
from trainable.optimizers.muon import orthogonalise
from trainable.optimizers.newton_schulz import CubicNewtonSchulz, NewtonSchulz
from trainable.optimizers.polar_express import PolarExpress

SLACK = 0.02
EXPRESS = [  # to five digits, as printed in the paper's repository
    (8.15655, -22.48329, 15.87877),
    (4.04293, -2.80892, 0.50002),
    (3.89167, -2.77248, 0.50606),
    (3.28575, -2.36813, 0.46449),
    (2.34654, -1.70978, 0.42324),
]


def log_uniform_spectrum(size: int) -> Tensor:
    left, right = (torch.linalg.qr(torch.randn(size, size)).Q for _ in range(2))
    return left @ torch.diag(torch.logspace(0, -3, size)) @ right.T


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("rows", "columns", "spectrum", "part", "low", "median", "high", "norm", "cosine"),
    [
        (256, 1024, "gaussian", PolarExpress(), 0.86, 1.02, 1.14, 1.018, 0.996),
        (256, 1024, "gaussian", CubicNewtonSchulz(), 0.22, 0.40, 0.58, 0.407, 0.973),
        (256, 1024, "gaussian", AlmostOrthogonal(), 0.68, 0.75, 1.13, 0.850, 0.984),
        (256, 1024, "gaussian", NewtonSchulz(), 0.68, 0.95, 1.13, 0.955, 0.989),
        (512, 512, "gaussian", PolarExpress(), 0.0, 1.00, 1.14, 1.00, 0.993),  # the smallest is chance
        (512, 512, "log-uniform", PolarExpress(), 0.16, 0.95, 1.14, 0.90, 0.947),
    ],
)
def test_singular_values_lie_where_the_published_code_has_them(
    rows, columns, spectrum, part, low, median, high, norm, cosine, dtype
):
    matrix = torch.randn(rows, columns) if spectrum == "gaussian" else log_uniform_spectrum(rows)
    found = part(matrix[None].to(dtype))[0]
    assert found.dtype == dtype
    found = found.double()
    values = torch.linalg.svdvals(found)
    u, _, vh = torch.linalg.svd(matrix.double(), full_matrices=False)
    assert low - 2 * SLACK <= values.min() and values.max() <= high + SLACK
    assert values.median().item() == pytest.approx(median, abs=2 * SLACK)
    assert (found.norm() / rows**0.5).item() == pytest.approx(norm, abs=SLACK)
    assert ((found * (u @ vh)).sum() / (found.norm() * (u @ vh).norm())).item() == pytest.approx(cosine, abs=SLACK / 2)


@pytest.mark.parametrize(
    ("part", "divisor", "steps"),
    [
        (PolarExpress(), 1.01, EXPRESS),
        (PolarExpress(steps=3, safety=1.02), 1.02, EXPRESS[:3]),
        (CubicNewtonSchulz(), 1.1, [(1.5, -0.5, 0.0)] * 5),
        (NewtonSchulz(steps=4), 1.0, [(3.4445, -4.7750, 2.0315)] * 4),
    ],
)
def test_each_singular_value_follows_the_scalar_polynomial(part, divisor, steps):
    matrix = torch.randn(16, 40, dtype=torch.float64)
    s = torch.linalg.svdvals(matrix) / torch.linalg.matrix_norm(matrix) / divisor
    for a, b, c in steps:
        s = a * s + b * s**3 + c * s**5
    found = torch.linalg.svdvals(part(matrix[None])[0])
    torch.testing.assert_close(found, s.sort(descending=True).values, atol=2e-4, rtol=0)


def test_the_almost_orthogonal_start_scales_each_row_by_its_gram_row():
    matrix = torch.randn(5, 9, dtype=torch.float64)
    x = torch.stack([row / sum(abs(float(row @ other)) for other in matrix) ** 0.5 for row in matrix])
    expected = 3.4445 * x - 4.7750 * x @ x.T @ x + 2.0315 * x @ x.T @ x @ x.T @ x
    torch.testing.assert_close(AlmostOrthogonal(steps=1)(matrix[None])[0], expected)


def test_the_quintic_is_the_one_of_plain_muon():
    stack = torch.randn(3, 6, 8)
    assert torch.equal(NewtonSchulz()(stack), orthogonalise(stack, 5))


@pytest.mark.parametrize(("part", "eps"), [(CubicNewtonSchulz(steps=1), 1e-7), (PolarExpress(steps=1), 1e-6)])
def test_a_matrix_as_small_as_the_number_beside_its_norm_is_halved_at_first(part, eps):
    found = part(torch.full((1, 1, 1), eps / part.safety, dtype=torch.float64)).item()
    s = 0.5 / part.safety
    a, b, c = EXPRESS[0] if isinstance(part, PolarExpress) else (1.5, -0.5, 0.0)
    assert found == pytest.approx(a * s + b * s**3 + c * s**5, rel=1e-5)


@pytest.mark.parametrize("steps", [0, 6])
def test_polar_express_has_polynomials_for_five_steps(steps):
    with pytest.raises(ValueError, match=rf"PolarExpress\.steps is {steps} but must be "):
        PolarExpress(steps=steps)
    assert [PolarExpress(steps=n).steps for n in (1, 5)] == [1, 5]


@pytest.mark.parametrize("cls", components("orthogonaliser"))
def test_a_zero_matrix_stays_zero_and_what_is_given_is_left_alone(cls):
    stack = torch.stack([torch.zeros(4, 6), torch.randn(4, 6)])
    before = stack.clone()
    found = cls.example()(stack)
    assert torch.equal(stack, before)
    assert not found[0].any() and found.isfinite().all() and found[1].any()
