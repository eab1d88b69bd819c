from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from trainable.models.blueberry import Blueberry
from trainable.models.gpt import GPT
from trainable.models.gpt2 import GPT2
from trainable.models.latent_attention import LatentHeads
from trainable.models.query_key_value import SeparateHeads
from trainable.networks.causal_attention import CausalAttention, Window, WindowedAttention


def draw(heads: int) -> torch.Tensor:
    return torch.randn(2, 9, heads, 6, dtype=torch.float64)


@pytest.mark.parametrize(
    ("kernel", "window"),
    [(CausalAttention(), 9), (WindowedAttention(Window(3, 9)), 3), (WindowedAttention(Window(1, 12)), 1)],
)
@pytest.mark.parametrize("kv_heads", [4, 2, 1])
def test_a_query_sees_itself_and_the_window_before_it(kernel, window, kv_heads):
    q, k, v = draw(4), draw(kv_heads), draw(kv_heads)
    found = kernel(q, k, v)
    for b, t, h in [(0, 0, 0), (1, 2, 1), (0, 5, 2), (1, 8, 3)]:
        keys = range(max(0, t - window), t + 1)
        shared = h * kv_heads // 4
        weights = [math.exp(float(q[b, t, h] @ k[b, s, shared]) / math.sqrt(6)) for s in keys]
        expected = sum(w * v[b, s, shared] for w, s in zip(weights, keys, strict=True)) / sum(weights)
        torch.testing.assert_close(found[b, t, h], expected)


def test_weights_are_dropped_in_training_only():
    kernel, ones = CausalAttention(dropout=0.5), torch.ones(1, 64, 1, 8)
    kernel.eval()
    torch.testing.assert_close(kernel(ones, ones, ones), ones)
    kernel.train()
    assert kernel(ones, ones, ones).std() > 0.01


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "part",
    [
        SeparateHeads(order="no_norm"),
        SeparateHeads(order="no_norm", kv_head_divisor=2),
        LatentHeads(latent_dim=8, rope_dim=2),
    ],
)
def test_shrinking_multiplies_the_logits_of_each_head_by_its_factor(part, balance):
    module = part.build(16, 4, 4).double()
    x, factors = torch.randn(1, 5, 16).double(), torch.tensor([1.0, 0.5, 0.3, 0.9]).double()
    angle = torch.randn(5, 1, 2).double()

    def logits() -> torch.Tensor:
        q, k, _ = module(x, (angle.cos(), angle.sin()))
        return torch.einsum("bqhd,bkhd->hqk", q, k.repeat_interleave(4 // k.shape[2], dim=2)).detach()

    before = logits()
    module.shrink_logits(factors, balance)
    torch.testing.assert_close(logits(), factors[:, None, None] * before)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_biases_of_queries_and_keys_shrink_with_their_weights(balance):
    attention = GPT2(num_layers=1, model_dim=16, num_heads=4, dropout=0.0).build(10, 5).blocks[0].attention.double()
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    x, factors = torch.randn(5, 16).double(), torch.tensor([1.0, 0.5, 0.3, 0.9]).double()

    def logits() -> torch.Tensor:
        q, k = (linear(x).view(5, 4, 4) for linear in (attention.q, attention.k))
        return torch.einsum("qhd,khd->hqk", q, k).detach()

    before = logits()
    attention.shrink_logits(factors, balance)
    torch.testing.assert_close(logits(), factors[:, None, None] * before, rtol=1e-12, atol=1e-12)


def test_a_shared_key_is_left_as_it_is():
    attention = GPT(num_layers=1, model_dim=16, num_heads=4, num_kv_heads=2).build(10, 4).blocks[0].attention
    before = attention.k.weight.detach().clone()
    attention.shrink_logits(torch.full((4,), 0.5), 0.5)
    assert torch.equal(attention.k.weight, before)


def test_heads_whose_matrices_are_joined_shrink_as_those_of_their_own():
    model = Blueberry(num_layers=1, model_dim=16, num_heads=4, num_kv_heads=4, dropout=0.0, qk_norm=False)
    attention = replace(model, joined_qkv=True).build(10, 5).blocks[0].attention.double()
    x, factors = torch.randn(1, 5, 16).double(), torch.tensor([1.0, 0.5, 0.3, 0.9]).double()

    def logits_and_values() -> tuple[torch.Tensor, torch.Tensor]:
        q, k, v = (heads.detach() for heads in attention.heads(x))
        return torch.einsum("bqhd,bkhd->hqk", q, k), v

    before, values = logits_and_values()
    attention.shrink_logits(factors, 0.5)
    after, kept = logits_and_values()
    torch.testing.assert_close(after, factors[:, None, None] * before)
    assert torch.equal(values, kept)
