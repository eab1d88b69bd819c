from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.hooks.weight_projection import WeightProjection
from trainable.models.mlp import MLP, Gelu, Relu2
from trainable.models.ngpt import NGPT
from trainable.optimizers.adamw import AdamW
from trainable.runtime import Runtime

SMALL = {"num_layers": 2, "model_dim": 8, "num_heads": 2}
PAPER, CAMPAIGN = replace(NGPT(), **SMALL), replace(NGPT.campaign(), **SMALL)
VOCAB, TIME = 11, 5


@pytest.mark.parametrize(
    ("num_layers", "model_dim", "recorded"), [(8, 384, 52_802_321), (10, 384, 56_341_269), (8, 512, 76_694_545)]
)
def test_the_campaigns_models_have_the_recorded_sizes(num_layers, model_dim, recorded):
    with torch.device("meta"):
        network = replace(NGPT.campaign(), num_layers=num_layers, model_dim=model_dim).build(50257, 128)
    assert sum(p.numel() for p in network.parameters()) == recorded


# --- the forward pass, written again in float64 -----------------------------------------------------------------------


def n(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).sum(-1, keepdims=True))


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def gelu(x: np.ndarray) -> np.ndarray:
    return x * (1 + torch.erf(torch.from_numpy(x) / 2**0.5).numpy()) / 2


def turned(x: np.ndarray) -> np.ndarray:
    """RoPE on (time, heads, head_dim) as a product of complex numbers; channel i goes with channel i + head_dim / 2."""
    half = x.shape[-1] // 2
    angle = np.arange(len(x))[:, None] * 10000.0 ** (-np.arange(half) / half)
    z = (x[..., :half] - 1j * x[..., half:]) * np.exp(1j * angle)[:, None]
    return np.concatenate([z.real, -z.imag], -1)


def attended(q: np.ndarray, k: np.ndarray, v: np.ndarray, sharpness: float) -> np.ndarray:
    scores = np.einsum("qhd,khd->hqk", q, k) * sharpness
    scores = np.where(np.tri(len(q), dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("hqk,khd->qhd", weights / weights.sum(-1, keepdims=True), v).reshape(len(q), -1)


def drawn(model: NGPT) -> tuple[torch.nn.Module, dict[str, np.ndarray], np.ndarray]:
    network = model.build(VOCAB, TIME + 1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    weights = {name: p.detach().double().numpy() for name, p in network.named_parameters()}
    return network, weights, torch.randint(VOCAB, (TIME,)).numpy()


def test_the_papers_form_is_its_formulas_in_float64():
    network, w, tokens = drawn(PAPER)
    d, d_k = 8, 4
    x = n(w["embedding.weight"][tokens])
    for i in range(2):
        b = {name.removeprefix(f"blocks.{i}."): value for name, value in w.items() if name.startswith(f"blocks.{i}.")}
        q, k, v = ((x @ b[f"attention.{name}.weight"].T).reshape(TIME, 2, d_k) for name in "qkv")
        s_qk = (b["attention.length.scale.parameter"] * d**0.5).reshape(2, d_k)
        y = attended(s_qk * n(turned(q)), s_qk * n(turned(k)), v, d_k**0.5) @ b["attention.proj.weight"].T
        step = np.abs(b["attention_step.alpha.parameter"] * 0.05 * d**0.5)
        x = n(x + step * (n(y) - x))
        s_uv = b["mlp.activate.before.scale.parameter"] * d**0.5
        gate, up = x @ b["mlp.gate.weight"].T * s_uv[:32], x @ b["mlp.up.weight"].T * s_uv[32:]
        y = (silu(gate) * up) @ b["mlp.proj.weight"].T
        step = np.abs(b["mlp_step.alpha.parameter"] * 0.05 * d**0.5)
        x = n(x + step * (n(y) - x))
    z = (x @ w["head.weight"].T) * w["logit_scale.parameter"] * d**0.5
    np.testing.assert_allclose(network(torch.from_numpy(tokens)[None])[0].detach(), z, atol=2e-5)


def test_the_campaigns_form_is_its_formulas_in_float64():
    network, w, tokens = drawn(CAMPAIGN)
    x = n(n(w["embedding.weight"][tokens]) + n(w["place.table.weight"][:TIME]))
    for i in range(2):
        b = {name.removeprefix(f"blocks.{i}."): value for name, value in w.items() if name.startswith(f"blocks.{i}.")}
        q, k, v = ((x @ b[f"attention.{name}.weight"].T).reshape(TIME, 2, 4) for name in "qkv")
        y = attended(q, k, v, 4**-0.5) @ b["attention.proj.weight"].T
        x = n(x + b["attention_step.alpha.parameter"] * y)
        x = n(x + b["mlp_step.alpha.parameter"] * (gelu(x @ b["mlp.fc.weight"].T) @ b["mlp.proj.weight"].T))
    z = x @ n(w["head.weight"]).T * w["logit_scale.parameter"]
    np.testing.assert_allclose(network(torch.from_numpy(tokens)[None])[0].detach(), z, atol=2e-5)


# --- scales -----------------------------------------------------------------------------------------------------------


def test_scales_start_at_their_value_and_are_stored_at_the_size_that_sets_how_fast_they_move():
    block = PAPER.build(VOCAB, TIME).blocks[0]
    root = 8**-0.5
    for scale, value, stored, numbers in [
        (block.attention_step.alpha, 0.05, root, 8),
        (block.attention.length.scale, 1.0, root, 8),
        (block.mlp.activate.before.scale, 1.0, 1.0, 64),
        (PAPER.build(VOCAB, TIME).logit_scale, 1.0, root, VOCAB),
        (CAMPAIGN.build(VOCAB, TIME).logit_scale, 10.0, 10.0, 1),
        (CAMPAIGN.build(VOCAB, TIME).blocks[0].mlp_step.alpha, 0.28, 0.28, 1),
    ]:
        torch.testing.assert_close(scale(), torch.full_like(scale.parameter, value))
        torch.testing.assert_close(scale.parameter.detach(), torch.full_like(scale.parameter, stored))
        assert scale.parameter.numel() == numbers


def test_only_the_papers_step_forgets_its_sign():
    for model, same in ((PAPER, True), (CAMPAIGN, False)):
        network, tokens = model.build(VOCAB, TIME), torch.randint(VOCAB, (1, TIME))
        before = network(tokens)
        with torch.no_grad():
            network.blocks[0].mlp_step.alpha.parameter.neg_()
        assert torch.equal(before, network(tokens)) is same


@pytest.mark.parametrize(
    "changes",
    [
        {"residual_form": "additive"},
        {"alpha_param": "scalar"},
        {"alpha_reparam": False},
        {"alpha_init": 0.28},
        {"s_qk": False},
        {"s_uv": False},
        {"attn_scale": "rsqrt_hd"},
        {"positions": "learned"},
        {"cosine_head": True},
        {"logit_scale_param": "scalar"},
        {"logit_scale_reparam": False},
        {"logit_scale_init": 15.0},
        {"init_scheme": "torch_default"},
        {"mlp": Gelu(), "mlp_mult": 4.0},
        {"rope_base": 500.0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_knob_changes_a_run(changes, tiny, run_to_end, first_difference):
    small = {"num_layers": 1, "model_dim": 16, "num_heads": 2}
    config = replace(tiny, optimizer=AdamW(lr=0.01), budget=replace(tiny.budget, steps=3))
    runs = [run_to_end(replace(config, model=NGPT(**small, **c))).last for c in ({}, changes)]
    assert runs[0].val_loss != runs[1].val_loss and runs[1].status == "completed"


def test_states_stay_on_the_sphere():
    for model in (PAPER, CAMPAIGN):
        network, _, tokens = drawn(model)
        lengths = network.hidden(torch.from_numpy(tokens)[None]).norm(dim=-1)
        torch.testing.assert_close(lengths, torch.ones_like(lengths))


@pytest.mark.parametrize(
    ("field", "wrong", "says"),
    [
        ("residual_form", "add", r"one of lerp, additive: did you mean 'additive'\?"),
        ("alpha_param", "scaler", r"did you mean 'scalar'\?"),
        ("positions", "rop", r"did you mean 'rope'\?"),
        ("attn_scale", "1", "one of sqrt_hd, rsqrt_hd"),
        ("model_dim", 390, "a multiple of 16"),
        ("alpha_init", 0.0, "positive"),
    ],
)
def test_a_model_that_cannot_be_is_refused(field, wrong, says):
    with pytest.raises(ValueError, match=rf"NGPT\.{field} is .* but must be .*{says}"):
        replace(NGPT(), **{field: wrong})


@pytest.mark.parametrize("model", [PAPER, CAMPAIGN], ids=["paper", "campaign"])
def test_it_compiles_to_one_graph_for_a_whole_run(model, tiny, run_to_end, counting_compiler):
    config = replace(tiny, model=model, hooks=(WeightProjection(every_steps=2),), budget=replace(tiny.budget, steps=3))
    found = run_to_end(config, runtime=Runtime(compile=True)).last
    assert counting_compiler.frame_count == 2 and found.val_loss == pytest.approx(
        run_to_end(config).last.val_loss, rel=1e-3
    )


def test_any_mlp_part_fits():
    part: MLP = Relu2()
    assert (
        replace(PAPER, mlp=part, mlp_mult=2.0)
        .build(VOCAB, TIME)(torch.zeros(1, TIME, dtype=torch.long))
        .isfinite()
        .all()
    )
