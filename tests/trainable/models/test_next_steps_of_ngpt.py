"""What nGPT's document leaves for later, as knobs: one norm a block or some by chance, attention without places."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import search_spaces
from trainable.config import Budget
from trainable.models.ngpt import NGPT
from trainable.networks.hypersphere import SometimesUnit
from trainable.schedules import Cosine
from tuner.cli import options

SMALL = {"num_layers": 2, "model_dim": 8, "num_heads": 2}
CAMPAIGN, PAPER = replace(NGPT.campaign(), **SMALL), replace(NGPT(), **SMALL)
VOCAB, TIME = 11, 5


def n(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).sum(-1, keepdims=True))


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


def of_block(w: dict[str, np.ndarray], i: int) -> dict[str, np.ndarray]:
    return {name.removeprefix(f"blocks.{i}."): value for name, value in w.items() if name.startswith(f"blocks.{i}.")}


def gelu(x: np.ndarray) -> np.ndarray:
    return x * (1 + torch.erf(torch.from_numpy(x) / 2**0.5).numpy()) / 2


def campaigns_form(w: dict[str, np.ndarray], tokens: np.ndarray, normed: list[bool]) -> np.ndarray:
    """The campaign's form in float64, normalised behind attention in the layers where ``normed`` says so."""
    x = n(n(w["embedding.weight"][tokens]) + n(w["place.table.weight"][:TIME]))
    for i, first in enumerate(normed):
        b = of_block(w, i)
        q, k, v = ((x @ b[f"attention.{name}.weight"].T).reshape(TIME, 2, 4) for name in "qkv")
        x = x + b["attention_step.alpha.parameter"] * (attended(q, k, v, 4**-0.5) @ b["attention.proj.weight"].T)
        x = n(x) if first else x
        x = n(x + b["mlp_step.alpha.parameter"] * (gelu(x @ b["mlp.fc.weight"].T) @ b["mlp.proj.weight"].T))
    return x @ n(w["head.weight"]).T * w["logit_scale.parameter"]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("prob", "normed"), [(None, True), (1.0, True), (0.0, False)])
def test_at_zero_a_block_is_normalised_at_its_end_alone_in_evaluation_too(prob, normed, training):
    """The repository's design document: only at the end of the full block."""
    network, w, tokens = drawn(replace(CAMPAIGN, residual_norm_prob=prob))
    network.train(training)
    found = network(torch.from_numpy(tokens)[None])[0].detach()
    np.testing.assert_allclose(found, campaigns_form(w, tokens, [normed, normed]), atol=2e-5)


def test_by_chance_each_layer_is_drawn_for_itself_and_every_evaluation_normalises(at_step):
    network, w, tokens = drawn(replace(CAMPAIGN, residual_norm_prob=0.5))
    gates = [module for module in network.modules() if isinstance(module, SometimesUnit)]
    seen, inputs = set(), torch.from_numpy(tokens)[None]
    for seed in range(40):
        at_step(network, seed=seed)
        normed = [bool(gate.drawn) for gate in gates]
        seen.add(tuple(normed))
        np.testing.assert_allclose(network(inputs)[0].detach(), campaigns_form(w, tokens, normed), atol=2e-5)
    assert len(gates) == 2 and seen == {(a, b) for a in (True, False) for b in (True, False)}
    np.testing.assert_allclose(network.eval()(inputs)[0].detach(), campaigns_form(w, tokens, [True, True]), atol=2e-5)


def test_the_probability_is_that_of_the_norm(at_step):
    network = replace(CAMPAIGN, residual_norm_prob=0.8).build(VOCAB, TIME)
    gates = [module for module in network.modules() if isinstance(module, SometimesUnit)]
    drawn_ones = []
    for seed in range(500):
        at_step(network, seed=seed)
        drawn_ones += [float(gate.drawn) for gate in gates]
    assert np.mean(drawn_ones) == pytest.approx(0.8, abs=0.04)


def test_null_and_one_are_the_form_as_it_was_bit_for_bit_and_null_has_its_key(tiny, run_to_end, first_difference):
    runs = [replace(tiny, model=replace(CAMPAIGN, residual_norm_prob=p), budget=Budget(steps=2)) for p in (None, 1.0)]
    assert first_difference(*(run_to_end(run).numbers for run in runs)) is None
    assert runs[0].key("") == replace(runs[0], model=CAMPAIGN).key("") != runs[1].key("")


def test_a_run_with_norms_by_chance_resumes_identically(tiny, assert_resumes_identically):
    assert_resumes_identically(replace(tiny, model=replace(CAMPAIGN, residual_norm_prob=0.5)))


def test_without_places_attention_is_by_cosines_alone():
    """softmax(sqrt(d_k) s q . s k) of unit queries and keys: what stands before a token counts, and not where."""
    network, w, tokens = drawn(replace(PAPER, positions="none"))
    x = n(w["embedding.weight"][tokens])
    for i in range(2):
        b = of_block(w, i)
        q, k, v = ((x @ b[f"attention.{name}.weight"].T).reshape(TIME, 2, 4) for name in "qkv")
        s_qk = (b["attention.length.scale.parameter"] * 8**0.5).reshape(2, 4)
        y = attended(s_qk * n(q), s_qk * n(k), v, 4**0.5) @ b["attention.proj.weight"].T
        x = n(x + np.abs(b["attention_step.alpha.parameter"] * 0.05 * 8**0.5) * (n(y) - x))
        s_uv = b["mlp.activate.before.scale.parameter"] * 8**0.5
        gate, up = x @ b["mlp.gate.weight"].T * s_uv[:32], x @ b["mlp.up.weight"].T * s_uv[32:]
        y = (gate / (1 + np.exp(-gate)) * up) @ b["mlp.proj.weight"].T
        x = n(x + np.abs(b["mlp_step.alpha.parameter"] * 0.05 * 8**0.5) * (n(y) - x))
    z = (x @ w["head.weight"].T) * w["logit_scale.parameter"] * 8**0.5
    np.testing.assert_allclose(network(torch.from_numpy(tokens)[None])[0].detach(), z, atol=2e-5)
    shallow, _, _ = drawn(replace(PAPER, positions="none", num_layers=1))
    last, of_swapped = (shallow(torch.tensor([order]))[0, -1] for order in ([1, 2, 3, 4], [2, 1, 3, 4]))
    torch.testing.assert_close(of_swapped, last, atol=1e-5, rtol=1e-5)
    assert not PAPER.has_learned_positions and not replace(PAPER, positions="none").has_learned_positions


def test_another_label_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"positions is 'non' but must be one of learned, rope, none: .*'none'"):
        replace(PAPER, positions="non")
    with pytest.raises(ValueError, match=r"residual_norm_prob is 1\.5 but must be null or in \[0, 1\]"):
        replace(PAPER, residual_norm_prob=1.5)


def test_the_lines_of_the_readme_resolve_to_what_they_say():
    lines = (Path(search_spaces.__file__).parent / "ngpt" / "README.md").read_text(encoding="utf-8").splitlines()
    space, found = search_spaces.load("ngpt"), []
    for line in (line for line in lines if line.startswith("    python -m tuner.run")):
        asked = options.parse(shlex.split(line)[3:]).spec
        base, left = space.fixed(space.scale(asked.scale or "proxy").base, asked.overrides)
        assert left.values_of(base)
        found.append(base)
    once, chance, cosines, decayed, larger, geodesic = found
    assert (once.model.residual_norm_prob, chance.model.residual_norm_prob) == (0.0, 0.5)
    assert (cosines.model.positions, cosines.model.s_qk, cosines.model.attn_scale) == ("none", True, "sqrt_hd")
    assert decayed.schedule == Cosine(min_lr_frac=0.0)
    assert larger.data.batch_tokens == 96 * larger.data.seq_len and larger.data.grad_accum_steps == 2
    assert [type(hook).__name__ for hook in geodesic.hooks] == ["GeodesicStep", "WeightProjection"]


def test_a_batch_of_96_in_two_micro_batches_is_the_same_step_as_in_one(tiny, run_to_end):
    """The document tried no batch over 48; accumulation is a matter of memory alone."""
    data = replace(tiny.data, batch_tokens=96 * tiny.data.seq_len)
    weights = []
    for parts in (1, 2):
        config = replace(tiny, model=CAMPAIGN, data=replace(data, grad_accum_steps=parts), budget=Budget(steps=2))
        weights.append(run_to_end(config).numbers["network"])
    for one, other in zip(*weights, strict=True):
        torch.testing.assert_close(torch.as_tensor(one), torch.as_tensor(other), atol=2e-4, rtol=1e-3)
