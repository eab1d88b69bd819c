"""Attention of narrow heads by hand: its numbers against the formula in float64, and where it stands in for torch's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import search_spaces
from trainable.networks import small_heads
from trainable.networks.causal_attention import CausalAttention, Window, WindowedAttention
from trainable.runtime import Runtime

SHAPES = [(2, 70, 4, 2, 8), (1, 32, 6, 1, 6), (3, 5, 2, 2, 4), (1, 1, 2, 1, 8)]  # batch, time, heads, kv_heads, dim
PROXIES = [search_spaces.load(name).scale("proxy").base.model for name in ("parameter_golf", "nanochat", "ngpt")]


class Operations(TorchDispatchMode):
    """Collects the names of what is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.names.append(str(function))
        return function(*arguments, **(keywords or {}))

    @property
    def kernels(self) -> set[str]:
        return {name for name in self.names if "attention" in name}


def drawn(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> list[Tensor]:
    batch, time, heads, kv_heads, head_dim = shape
    sizes = [(batch, time, h, head_dim) for h in (heads, kv_heads, kv_heads, heads)]
    return [2 * torch.randn(size, dtype=dtype) for size in sizes]


def formula(q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
    k, v = (x.repeat_interleave(q.size(2) // k.size(2), dim=2) for x in (k, v))
    logits = torch.einsum("bqhd,bkhd->bhqk", q, k) / q.size(-1) ** 0.5
    place = torch.arange(q.size(1))
    back = place[:, None] - place
    weights = logits.masked_fill((back < 0) | (back > window), -torch.inf).softmax(-1)
    return torch.einsum("bhqk,bkhd->bqhd", weights, v)


def output_and_gradients(attend, inputs: list[Tensor], dtype: torch.dtype = torch.float32) -> list[Tensor]:
    *leaves, grad = (x.to(dtype) for x in inputs)
    leaves = [x.requires_grad_() for x in leaves]
    y = attend(*leaves)
    return [y.detach(), *torch.autograd.grad(y, leaves, grad)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("window", [None, 40, 3, 0])
def test_output_and_gradients_are_those_of_the_formula(shape, window) -> None:
    inputs = drawn(shape)
    seen = shape[1] if window is None else window
    found = output_and_gradients(lambda q, k, v: small_heads.attend(q, k, v, window), inputs)
    expected = output_and_gradients(lambda q, k, v: formula(q, k, v, seen), inputs, torch.float64)
    for mine, exact in zip(found, expected, strict=True):
        torch.testing.assert_close(mine.double(), exact, atol=2e-5, rtol=1e-5)


def test_it_rounds_no_worse_than_the_kernel_that_it_stands_in_for() -> None:
    inputs = drawn((4, 128, 8, 4, 8))

    def kernel(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).transpose(1, 2)

    exact = output_and_gradients(lambda q, k, v: formula(q, k, v, 128), inputs, torch.float64)
    by_hand, by_kernel = (
        [float((x.double() - y).norm() / y.norm()) for x, y in zip(output_and_gradients(f, inputs), exact, strict=True)]
        for f in (small_heads.attend, kernel)
    )
    assert max(by_kernel) < 1e-6
    assert all(a < 1.5 * b for a, b in zip(by_hand, by_kernel, strict=True)), (by_hand, by_kernel)


def test_a_gradient_may_be_any_view() -> None:
    q, k, v, _ = (x.requires_grad_() for x in drawn((1, 6, 2, 1, 4)))
    small_heads.attend(q, k, v).sum().backward()  # an expanded number
    torch.testing.assert_close(v.grad.sum(), torch.tensor(6.0 * 2 * 4))


@pytest.mark.parametrize("model", PROXIES)
@pytest.mark.parametrize("training", [True, False])
def test_no_kernel_of_torch_attends_in_a_proxy_model(model, training) -> None:
    network = model.build(260, 64)
    tokens = torch.randint(260, (1, 64))
    with Operations() as operations, torch.set_grad_enabled(training):
        logits = network(tokens)
        if training:
            logits.sum().backward()
    assert not operations.kernels


def draw_heads(**changes: int) -> tuple[Tensor, Tensor, Tensor]:
    size = {"batch": 1, "time": 16, "heads": 2, "head_dim": 8} | changes
    return tuple(torch.randn(*size.values()) for _ in range(3))


@pytest.mark.parametrize("attend", [CausalAttention(), WindowedAttention(Window(4, 40))])
def test_wide_heads_and_many_pairs_go_to_the_kernel(attend, monkeypatch) -> None:
    monkeypatch.setattr(small_heads, "KEPT_NUMBERS", 4 * 2 * 16 * 16)
    for changes, by_kernel in (
        ({}, False),
        ({"batch": 4}, False),
        ({"batch": 5}, True),
        ({"time": 32}, False),
        ({"time": 33}, True),
        ({"heads": 9}, True),
        ({"head_dim": 9}, True),
    ):
        with Operations() as operations:
            attend(*draw_heads(**changes))
        assert bool(operations.kernels) is by_kernel, changes


def test_rounded_or_exact_numbers_go_to_the_kernel() -> None:
    for dtype in (torch.bfloat16, torch.float64):
        assert not small_heads.is_faster(*(x.to(dtype) for x in draw_heads()[:2]))
    with Runtime(precision="bf16").autocast():
        assert not small_heads.is_faster(*draw_heads()[:2])
    assert not small_heads.is_faster(*(x.to("meta") for x in draw_heads()[:2]))


def test_dropped_weights_are_those_that_torch_drops() -> None:
    inputs, attend = draw_heads(), CausalAttention(dropout=0.5)
    torch.manual_seed(3)
    found = attend(*inputs)
    torch.manual_seed(3)
    apart = (x.transpose(1, 2) for x in inputs)
    assert torch.equal(found, F.scaled_dot_product_attention(*apart, dropout_p=0.5, is_causal=True).transpose(1, 2))
    attend.eval()
    with Operations() as operations:
        attend(*inputs)
    assert not operations.kernels and not any("dropout" in name for name in operations.names)
