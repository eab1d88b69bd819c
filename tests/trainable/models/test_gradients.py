from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trainable.networks.gradients import norm, rotate, softcap


def angles(time: int, half: int) -> tuple[Tensor, Tensor]:
    angle = torch.randn(time, 1, half, dtype=torch.float64)
    return angle.cos(), angle.sin()


def turned_by_complex_numbers(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.size(-1) // 2
    turned = torch.complex(x[..., :half], x[..., half:]) * torch.complex(cos, -sin)
    return torch.cat([turned.real, turned.imag], dim=-1)


CASES = {
    "norm": (norm, lambda x: F.rms_norm(x, (x.size(-1),))),
    "softcap": (lambda x: softcap(x, 2.5), lambda x: 2.5 * torch.tanh(x / 2.5)),
    "rotate": (lambda x: rotate(x, *TABLES), lambda x: turned_by_complex_numbers(x, *TABLES)),
}
TABLES = angles(5, 3)


@pytest.fixture
def x() -> Tensor:
    return (3 * torch.randn(2, 5, 4, 6, dtype=torch.float64)).requires_grad_()


@pytest.mark.parametrize("name", CASES)
def test_the_value_is_that_of_the_plain_formula(name, x):
    ours, plain = CASES[name]
    torch.testing.assert_close(ours(x), plain(x), atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_written_out_is_the_derivative_of_the_value(name, x):
    assert torch.autograd.gradcheck(CASES[name][0], (x,), atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_right_where_the_input_is_a_transposed_view(name):
    strided = (3 * torch.randn(6, 4, 5, 2, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: CASES[name][0](t.permute(3, 2, 1, 0)), (strided,), atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_what_is_compiled_computes_the_same_in_one_graph(name, x):
    compiled = torch.compile(CASES[name][0], fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), CASES[name][0](x))
    (ours,) = torch.autograd.grad(CASES[name][0](x).sin().sum(), x)
    (theirs,) = torch.autograd.grad(compiled(x).sin().sum(), x)
    torch.testing.assert_close(ours, theirs)


def test_a_vector_of_zeros_has_a_finite_norm_and_gradient():
    zeros = torch.zeros(1, 4, requires_grad=True)
    norm(zeros).sum().backward()
    assert torch.equal(norm(zeros), torch.zeros(1, 4))
    assert torch.isfinite(zeros.grad).all()
