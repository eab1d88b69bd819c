from __future__ import annotations

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trainable.component_paths import with_values
from trainable.models.latent_attention import LatentHeads
from trainable.models.nanochat import Nanochat
from trainable.models.query_key_value import SeparateHeads
from trainable.optimizers.muon_adamw import MuonAdamW, roles_apart
from trainable.runtime import Runtime
from trainable.scaling import scaling_parameters, trapezoid

VOCAB, TIME = 70, 11
SMALL = Nanochat(
    num_layers=3, aspect_ratio=16, head_dim=12, short_window=4
)  # 48 channels, 4 heads, padded to 128 words


def on_meta(model: Nanochat, vocab: int = 32768, time: int = 2048):
    with torch.device("meta"):
        return model.build(vocab, time)


def disturbed(model: Nanochat):
    """In float64, with no weight left at a special value."""
    network = model.build(VOCAB, 16).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depth", "dim", "heads"),
    [(12, 768, 6), (20, 1280, 10), (22, 1408, 11), (24, 1536, 12), (26, 1664, 13), (3, 256, 2)],
)
def test_the_size_follows_from_the_depth(depth, dim, heads):
    model = Nanochat(num_layers=depth)
    assert (model.model_dim, model.num_heads) == (dim, heads)


def test_depth_22_has_the_recorded_number_of_parameters():
    network = on_meta(Nanochat())
    total = sum(p.numel() for p in network.parameters())
    values = sum(p.numel() for p in roles_apart(network)["value_embedding"])
    assert round(total / 1e9, 3) == 1.123 and round(values / 1e9, 3) == 0.508
    assert values == 11 * 32768 * 1408  # every other of 22 layers
    gates, lambdas = 11 * 11 * 12, 2 * 22 + 1 + 1 + 24
    assert total == 2 * 32768 * 1408 + values + 22 * 12 * 1408**2 + gates + lambdas
    assert round(scaling_parameters(network) / 1e6, 1) == 569.5


def test_depth_24_has_the_recorded_number_of_scaling_parameters():
    assert round(scaling_parameters(on_meta(Nanochat(num_layers=24))) / 1e6, 1) == 729.8


def test_every_other_layer_has_value_embeddings_and_the_last_one_always():
    for depth in (2, 3, 22):
        layers = [i for i in range(depth) if Nanochat(num_layers=depth).has_value_embedding(i)]
        assert layers == list(range(depth - 1, -1, -2))[::-1]


def test_windows_are_short_but_for_every_fourth_layer_and_the_last():
    model = Nanochat(num_layers=22)
    windows = [model.window(i, 2048) for i in range(22)]
    assert windows[:8] == [512, 512, 512, None] * 2 and windows[20:] == [512, None]
    assert [model.window(0, time) for time in (100, 512, 513, 2049)] == [128, 128, 256, 640]
    assert dataclasses.replace(model, short_window=32).window(0, 128) == 32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aspect_ratio": 1, "head_dim": 2}, "24 channels or more"),
        ({"window_pattern": "SXL"}, "letters S and L"),
        ({"qkv": SeparateHeads(kv_head_divisor=3)}, "a divisor of the 4 heads"),
    ],
)
def test_a_size_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **changes)


def test_eleven_heads_can_only_share_one_key():
    with pytest.raises(ValueError, match="a divisor of the 11 heads"):
        Nanochat(qkv=SeparateHeads(kv_head_divisor=2))
    assert Nanochat(qkv=SeparateHeads(kv_head_divisor=11)).qkv.num_kv_heads(11) == 1


# --- the fresh model --------------------------------------------------------------------------------------------------


def test_weights_start_as_published():
    network = Nanochat(num_layers=4, aspect_ratio=32, head_dim=32).build(300, 16)  # 128 channels
    bound = math.sqrt(3 / 128)
    assert network.embedding.weight.shape == (320, 128)
    assert network.embedding.weight.std().item() == pytest.approx(0.8, rel=0.03)
    assert network.head.weight.std().item() == pytest.approx(0.001, rel=0.03)
    for block in network.blocks:
        for layer, limit in (
            (block.attention.qkv.q, bound),
            (block.attention.qkv.v, bound),
            (block.mlp.fc, 0.4 * bound),
        ):
            assert 0.98 * limit < float(layer.weight.detach().abs().max()) <= limit
        assert not block.attention.proj.weight.any() and not block.mlp.proj.weight.any()
    assert 0.98 * bound < float(network.value_embeddings["3"].weight.detach().abs().max()) <= bound
    torch.testing.assert_close(
        network.resid_lambdas.detach(), torch.tensor([1.15, 1.15 - 0.1 / 3, 1.15 - 0.2 / 3, 1.05])
    )
    torch.testing.assert_close(network.x0_lambdas.detach(), torch.tensor([0.20, 0.15, 0.10, 0.05]))
    assert network.smear.weight.item() == 0 and network.backout_lambda.item() == pytest.approx(0.2)


# --- the forward pass, written out once more --------------------------------------------------------------------------


def unit(x: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + torch.finfo(x.dtype).eps).sqrt()


def turned(x: Tensor, base: float) -> Tensor:
    """Channels (j, j + half) of x (time, channels) as complex numbers, times exp(-i t base^(-2j / channels))."""
    half = x.shape[-1] // 2
    angle = torch.arange(len(x)).double()[:, None] * base ** (-2 * torch.arange(half).double() / x.shape[-1])
    y = torch.complex(x[:, :half], x[:, half:]) * torch.polar(torch.ones_like(angle), -angle)
    return torch.cat([y.real, y.imag], dim=-1)


def attended(q: Tensor, k: Tensor, v: Tensor, window: int | None) -> Tensor:
    """One head, (time, channels), a query at a time."""
    rows = []
    for t in range(len(q)):
        first = 0 if window is None else max(0, t - window)
        weights = (k[first : t + 1] @ q[t] / math.sqrt(q.shape[1])).softmax(0)
        rows.append(weights @ v[first : t + 1])
    return torch.stack(rows)


def heads_written_out(attention, x: Tensor, values: Tensor | None, window: int | None, base: float | None) -> Tensor:
    qkv, out = attention.qkv, []
    size = qkv.q.weight.shape[0] // 4
    groups = 4 // qkv.num_kv_heads
    for h in range(4):
        own, shared = slice(h * size, (h + 1) * size), slice(h // groups * size, (h // groups + 1) * size)
        q, k, v = x @ qkv.q.weight[own].T, x @ qkv.k.weight[shared].T, x @ qkv.v.weight[shared].T
        if base is not None:
            q, k = turned(q, base), turned(k, base)
        if values is not None:
            gate = 3 / (1 + (-(x[:, :12] @ attention.value_gate.weight[h // groups])).exp())
            v = v + gate[:, None] * values[:, shared]
        out.append(attended(1.2 * unit(q), 1.2 * unit(k), v, window))
    return torch.cat(out, dim=-1) @ attention.proj.weight.T


def logits_written_out(network, tokens: Tensor, model: Nanochat) -> Tensor:
    x = unit(network.embedding.weight[tokens])
    gate = network.smear.weight * torch.sigmoid(x[:, :24] @ network.smear.gate.weight[0])
    x = torch.stack([x[0]] + [x[t] + gate[t] * x[t - 1] for t in range(1, len(x))])
    x0, middle = x, None
    for i, block in enumerate(network.blocks):
        x = network.resid_lambdas[i] * x + network.x0_lambdas[i] * x0
        values = network.value_embeddings[str(i)].weight[tokens] if i in (0, 2) else None
        x = x + heads_written_out(block.attention, unit(x), values, 4 if i < 2 else None, model.rope_base)
        x = x + F.relu(unit(x) @ block.mlp.fc.weight.T) ** 2 @ block.mlp.proj.weight.T
        middle = x if i == 1 else middle
    z = unit(x - network.backout_lambda * middle) @ network.head.weight[:VOCAB].T
    return 15 * torch.tanh(z / 15)


@pytest.mark.parametrize(
    "model",
    [
        SMALL,
        dataclasses.replace(SMALL, rope_base=None),
        dataclasses.replace(SMALL, qkv=SeparateHeads(kv_head_divisor=2)),
    ],
    ids=["plain", "no positions", "grouped"],
)
def test_the_logits_are_those_of_the_formulas(model):
    network = disturbed(model)
    tokens = torch.randint(VOCAB, (TIME,))
    expected = logits_written_out(network, tokens, model)
    torch.testing.assert_close(network(tokens[None])[0].double(), expected, atol=1e-5, rtol=1e-5)  # logits are fp32


@pytest.mark.parametrize("order", ["rope_norm", "norm_rope", "no_norm"])
def test_the_order_of_norm_and_rotation_matters_only_where_there_is_a_norm(order):
    """A rotation keeps lengths, so both orders with a norm agree; without one logits grow with the weights."""
    network = disturbed(dataclasses.replace(SMALL, qkv=SeparateHeads(order=order)))
    largest = []
    for scale in (1.0, 10.0):
        with torch.no_grad():
            network.blocks[0].attention.qkv.q.weight.mul_(scale)
        x, rotation = torch.randn(1, TIME, 48).double(), (network.cos[:TIME], network.sin[:TIME])
        q, _, _ = network.blocks[0].attention.qkv(x, rotation)
        largest.append(float(q.detach().square().mean(-1).sqrt().max()))
    assert (largest[1] == pytest.approx(1.2, abs=1e-6)) is (order != "no_norm")


def test_latent_heads_are_those_of_the_formulas():
    model = dataclasses.replace(SMALL, head_dim=24, qkv=LatentHeads(latent_dim=10, rope_dim=8))  # 2 heads of 16 + 8
    network = disturbed(model)
    part, x = network.blocks[0].attention.qkv, torch.randn(1, TIME, 48).double()
    q, k, v = part(x, (network.cos[:TIME], network.sin[:TIME]))
    c = unit(x[0] @ part.latent.weight.T)
    key = turned(x[0] @ part.k_rope.weight.T, 1e5)
    for h in range(2):
        content, rotary, value = slice(16 * h, 16 * h + 16), slice(8 * h, 8 * h + 8), slice(24 * h, 24 * h + 24)
        query = turned(x[0] @ part.q_rope.weight[rotary].T, 1e5)
        tolerance = {"atol": 1e-5, "rtol": 1e-5}  # the rotary table is in fp32
        torch.testing.assert_close(q[0, :, h], torch.cat([x[0] @ part.q.weight[content].T, query], -1), **tolerance)
        torch.testing.assert_close(k[0, :, h], torch.cat([c @ part.k.weight[content].T, key], -1), **tolerance)
        torch.testing.assert_close(v[0, :, h], c @ part.v.weight[value].T, **tolerance)


def test_latent_heads_train_and_resume(tiny, run_to_end, assert_resumes_identically):
    model = dataclasses.replace(Nanochat.example(), qkv=LatentHeads(latent_dim=16, rope_dim=4))
    config = dataclasses.replace(tiny, model=model, budget=dataclasses.replace(tiny.budget, steps=3))
    assert_resumes_identically(config)
    with pytest.raises(ValueError, match="a proper divisor of head_dim = 8"):
        dataclasses.replace(model, qkv=LatentHeads(rope_dim=6)).build(VOCAB, 16)


def test_a_whole_run_with_its_own_optimizer_is_one_graph(tiny, run_to_end, counting_compiler):
    changes = {"model": Nanochat.example(), "optimizer": MuonAdamW(), "schedule": trapezoid(4, warmup_steps=2)}
    config = with_values(tiny, {**changes, "budget.steps": 4})
    eager, compiled = run_to_end(config).last, run_to_end(config, runtime=Runtime(compile=True)).last
    assert counting_compiler.frame_count == 2  # the step, and the evaluation
    assert compiled.val_loss == pytest.approx(eager.val_loss, rel=2e-4)


def test_special_parameters_are_told_apart_from_the_usual_ones():
    network = SMALL.build(VOCAB, 16)
    found = roles_apart(network)
    assert {role: len(parameters) for role, parameters in found.items()} == {
        "embedding": 1,
        "head": 1,
        "matrix": 3 * 6 + 2,  # q k v proj fc proj, and two value gates
        "scalar": 0,
        "value_embedding": 2,
        "resid_lambda": 1,
        "x0_lambda": 1,
        "smear": 3,
    }
