from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from trainable.component_paths import with_values
from trainable.models.blueberry import Blueberry
from trainable.models.mixture_of_experts import Experts
from trainable.models.mlp import Relu2, Silu

SMALL = Blueberry(num_layers=2, model_dim=16, num_heads=4, num_kv_heads=2, mlp_mult=3.0)
VOCAB, TIME = 40, 7


def size(model: Blueberry) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in model.build(49152, 2048).parameters())


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        ({}, 151_032_320),
        ({"tie_embeddings": False}, 176_198_144),
        ({"mlp": Relu2()}, 151_032_320),  # 3072 hidden channels
        ({"mlp": Relu2(), "mlp_mult": 4.0}, 117_477_888),  # the record's 2048
        ({"mlp": Relu2(), "mlp_mult": 4.0, "tie_embeddings": False}, 142_643_712),
        ({"num_layers": 22, "mlp": Relu2(), "mlp_mult": 4.0}, 88_630_528),
    ],
)
def test_sizes_are_those_recorded(changes, parameters):
    assert size(with_values(Blueberry(), changes)) == parameters


def test_the_older_mixture_has_its_79_million_parameters():
    experts = {"mlp": Silu(), "mlp_mult": 4.0, "experts": Experts(num_experts=8, top_k=2)}
    older = with_values(Blueberry(), {"num_layers": 6, "model_dim": 384, "num_kv_heads": 8, **experts})
    assert size(older) == pytest.approx(79e6, rel=0.01)


def test_all_matrices_start_normal_and_projections_at_zero_only_if_asked():
    model = Blueberry(num_layers=2, model_dim=128, experts=Experts(num_experts=2))
    for zero in (False, True):
        network = with_values(model, {"zero_init_proj": zero}).build(500, 8)
        for name, weight in network.named_parameters():
            if weight.ndim == 1:
                assert (weight == 1).all(), name
            elif zero and "proj." in name:
                assert not weight.any(), name
            elif weight.numel() > 1000:
                assert weight.std().item() == pytest.approx(0.02, rel=0.05), name


# --- the forward pass, written out once more --------------------------------------------------------------------------


def normed(x: Tensor, gain: Tensor) -> Tensor:
    return gain * x / (x.square().mean(-1, keepdim=True) + torch.finfo(x.dtype).eps).sqrt()


def turned(x: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    angle = torch.arange(len(x)).double()[:, None] * 10_000 ** (-2 * torch.arange(half).double() / x.shape[-1])
    y = torch.complex(x[:, :half], x[:, half:]) * torch.polar(torch.ones_like(angle), -angle)
    return torch.cat([y.real, y.imag], dim=-1)


def attention_written_out(part, x: Tensor) -> Tensor:
    out = []
    for h in range(4):
        own, shared = slice(4 * h, 4 * h + 4), slice(h // 2 * 4, h // 2 * 4 + 4)
        q = turned(normed(x @ part.q.weight[own].T, part.q_norm.weight))
        k = turned(normed(x @ part.k.weight[shared].T, part.k_norm.weight))
        logits = (q @ k.T / math.sqrt(4)).masked_fill(~torch.ones(len(x), len(x)).tril().bool(), -math.inf)
        out.append(logits.softmax(-1) @ (x @ part.v.weight[shared].T))
    return torch.cat(out, dim=-1) @ part.proj.weight.T


def test_the_logits_are_those_of_the_formulas():
    network = SMALL.build(VOCAB, TIME).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    tokens = torch.randint(VOCAB, (TIME,))
    x = 4 * network.embedding.weight[tokens]
    for block in network.blocks:
        x = x + attention_written_out(block.attention, normed(x, block.attention_norm.weight))
        h = normed(x, block.mlp_norm.weight)
        gate, up = h @ block.mlp.gate.weight.T, h @ block.mlp.up.weight.T
        x = x + (gate / (1 + (-gate).exp()) * up) @ block.mlp.proj[1].weight.T
    expected = normed(x, network.norm.weight) @ network.embedding.weight.T
    torch.testing.assert_close(network(tokens[None])[0], expected, atol=1e-5, rtol=1e-5)  # the rotary table is fp32


def test_the_mixtures_attention_is_that_of_one_matrix_without_norms():
    """models/layers.py at 0248c5b: qkv(x) cut into three, queries and keys turned, and one output matrix."""
    model = with_values(SMALL, {"num_kv_heads": 4, "joined_qkv": True, "qk_norm": False})
    attention = model.build(VOCAB, TIME).double().eval().blocks[0].attention
    assert {name: tuple(p.shape) for name, p in attention.named_parameters()} == {
        "qkv.weight": (48, 16),
        "proj.weight": (16, 16),
    }
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.copy_(torch.randn_like(parameter))
    x, out = torch.randn(TIME, 16).double(), []
    for h in range(4):
        q, k, v = (x @ part[4 * h : 4 * h + 4].T for part in attention.qkv.weight.chunk(3))
        logits = (turned(q) @ turned(k).T / 2).masked_fill(~torch.ones(TIME, TIME).tril().bool(), -math.inf)
        out.append(logits.softmax(-1) @ v)
    angle = torch.arange(TIME).double()[:, None] * 10_000 ** (-torch.arange(2).double() / 2)
    found = attention(x[None], (angle.cos()[:, None], angle.sin()[:, None]))[0]
    torch.testing.assert_close(found, torch.cat(out, dim=-1) @ attention.proj.weight.T, atol=1e-9, rtol=1e-9)


def test_a_joined_matrix_gives_what_its_three_parts_give_with_grouped_keys_too():
    joined = with_values(SMALL, {"joined_qkv": True}).build(VOCAB, TIME).eval()
    parts = SMALL.build(VOCAB, TIME).eval()
    weights = dict(joined.state_dict())
    for i in range(2):
        whole = weights.pop(f"blocks.{i}.attention.qkv.weight")
        for name, weight in zip("qkv", whole.split([16, 8, 8]), strict=True):
            weights[f"blocks.{i}.attention.{name}.weight"] = weight
    parts.load_state_dict(weights)
    tokens = torch.randint(VOCAB, (2, TIME))
    torch.testing.assert_close(joined(tokens), parts(tokens))


def test_dropout_acts_in_every_place():
    """Embedding and output, and in a layer the attention weights, the hidden channels and both branches."""
    network = SMALL.build(VOCAB, TIME)
    modules = dict(network.named_modules())
    places = {name for name, m in modules.items() if getattr(m, "p", None) == 0.1}
    layer = {"dropout", "mlp.proj.0"}
    assert places == {"dropout"} | {f"blocks.{i}.{name}" for i in range(2) for name in layer}
    assert all(block.attention.attend.dropout == 0.1 for block in network.blocks)
    tokens = torch.randint(VOCAB, (1, TIME))
    assert not torch.equal(network(tokens), network(tokens))
    network.eval()
    assert torch.equal(network(tokens), network(tokens))
