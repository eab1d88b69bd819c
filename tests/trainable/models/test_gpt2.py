from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainable.models.gpt2 import GPT2
from trainable.models.mlp import SwiGLU
from trainable.models.norms import LayerNorm, RMSNorm
from trainable.runtime import Runtime

SMALL = GPT2(num_layers=2, model_dim=8, num_heads=2)
REPORT = replace(SMALL, mlp=SwiGLU(), mlp_bias=False, norm=RMSNorm())  # what the optimisation report swaps
VOCAB, TIME = 11, 5


def size(model: GPT2) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in model.build(16_000, 128).parameters())


def test_the_baseline_and_the_reports_swaps_have_their_sizes():
    baseline = GPT2()
    assert size(baseline) == 27_172_864
    with_biases = 2 * 512 * 2048 + 2048 + 512
    assert size(replace(baseline, mlp=SwiGLU(), mlp_bias=False)) == 27_172_864 + 6 * (3 * 512 * 1365 - with_biases)
    assert size(replace(baseline, norm=RMSNorm())) == 27_172_864 - 13 * 512
    assert size(replace(baseline, bias=False, mlp_bias=False)) == 27_172_864 - 6 * (4 * 512 + 2048 + 512) - 13 * 512
    assert size(replace(baseline, tie_embeddings=False)) == 27_172_864 + 16_000 * 512


def normed(x: np.ndarray, w: dict[str, np.ndarray], name: str, model: GPT2) -> np.ndarray:
    if isinstance(model.norm, RMSNorm):
        return w[f"{name}.weight"] * x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
    centred = x - x.mean(-1, keepdims=True)
    return w[f"{name}.weight"] * centred / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + w[f"{name}.bias"]


def mlp(x: np.ndarray, w: dict[str, np.ndarray], at: str, model: GPT2) -> np.ndarray:
    if isinstance(model.mlp, SwiGLU):
        gate, up = x @ w[f"{at}.gate.weight"].T, x @ w[f"{at}.up.weight"].T
        return (gate / (1 + np.exp(-gate)) * up) @ w[f"{at}.proj.weight"].T
    x = torch.from_numpy(x @ w[f"{at}.fc.weight"].T + w[f"{at}.activate.before.bias"])
    return (x * (1 + torch.erf(x / 2**0.5)) / 2).numpy() @ w[f"{at}.proj.weight"].T + w[f"{at}.proj.bias"]


@pytest.mark.parametrize("model", [SMALL, REPORT], ids=["baseline", "report"])
def test_the_forward_pass_is_its_formula_in_float64(model):
    network = model.build(VOCAB, TIME + 1).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    w = {name: p.detach().double().numpy() for name, p in network.named_parameters()}
    tokens = torch.randint(VOCAB, (TIME,)).numpy()
    x = w["embedding.weight"][tokens] + w["place.table.weight"][:TIME]
    for i in range(2):
        at = f"blocks.{i}.attention"
        h = normed(x, w, f"blocks.{i}.attention_norm", model)
        q, k, v = ((h @ w[f"{at}.{m}.weight"].T + w[f"{at}.{m}.bias"]).reshape(TIME, 2, 4) for m in "qkv")
        scores = np.where(np.tri(TIME, dtype=bool), np.einsum("qhd,khd->hqk", q, k) / 2, -np.inf)
        weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        y = np.einsum("hqk,khd->qhd", weights, v).reshape(TIME, 8)
        x = x + y @ w[f"{at}.proj.weight"].T + w[f"{at}.proj.bias"]
        x = x + mlp(normed(x, w, f"blocks.{i}.mlp_norm", model), w, f"blocks.{i}.mlp", model)
    z = normed(x, w, "norm", model) @ w["embedding.weight"].T
    np.testing.assert_allclose(network(torch.from_numpy(tokens)[None])[0].detach(), z, rtol=1e-4, atol=1e-4)


def test_weights_start_small_positions_and_biases_at_zero_and_gains_at_one():
    network = GPT2(num_layers=1, model_dim=64, bias=True).build(500, 16)
    for name, p in network.named_parameters():
        if name == "place.table.weight" or name.endswith("bias"):
            assert not p.any(), name
        elif p.ndim == 2:
            assert p.std().item() == pytest.approx(0.02, rel=0.1), name
        else:
            assert (p == 1).all(), name


def test_dropout_acts_in_training_only_and_in_four_places():
    tokens, places = torch.randint(VOCAB, (1, TIME)), 0
    network = replace(SMALL, num_layers=1, dropout=0.5).build(VOCAB, TIME)
    assert torch.equal(network.eval()(tokens), network(tokens))
    assert not torch.equal(network.train()(tokens), network(tokens))
    attend = network.blocks[0].attention.attend
    for module, field in ((network.drop, "p"), (attend, "dropout"), (network.blocks[0].drop, "p")):
        network.apply(lambda m: setattr(m, "p" if isinstance(m, torch.nn.Dropout) else "dropout", 0.0))
        assert torch.equal(network(tokens), network(tokens))
        setattr(module, field, 0.5)
        places += not torch.equal(network(tokens), network(tokens))
    assert places == 3  # the block's is on both of its branches


def test_without_dropout_training_and_evaluation_see_one_network():
    network, tokens = replace(SMALL, dropout=0.0).build(VOCAB, TIME), torch.randint(VOCAB, (2, TIME))
    assert torch.equal(network.train()(tokens), network.eval()(tokens))


def test_rotary_positions_take_the_place_of_the_table():
    network = replace(SMALL, positions="rope").build(VOCAB, TIME).eval()
    assert not [name for name, _ in network.named_parameters() if name.startswith("place")]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape))
    tokens = torch.tensor([[3, 1, 2, 4], [1, 3, 2, 4]])  # the last token sees the same ones in another order
    last = network(tokens)[:, -1]
    assert not torch.allclose(last[0], last[1])


def test_a_gated_mlp_has_biases_too_if_asked():
    mlp = replace(SMALL, mlp=SwiGLU(), mlp_bias=True).build(VOCAB, TIME).blocks[0].mlp
    x, b = torch.randn(2, 8), torch.randn(2 * 21)
    with torch.no_grad():
        mlp.activate.before.bias.copy_(b)
        mlp.proj.bias.fill_(3.0)
    gate, up = mlp.gate.weight @ x[0] + b[:21], mlp.up.weight @ x[0] + b[21:]
    torch.testing.assert_close(mlp(x)[0], mlp.proj.weight @ (gate * gate.sigmoid() * up) + 3.0)


@pytest.mark.parametrize("model", [SMALL, REPORT], ids=["baseline", "report"])
def test_it_compiles_to_one_graph_for_a_whole_run(model, tiny, run_to_end, counting_compiler):
    config = replace(tiny, model=model, budget=replace(tiny.budget, steps=3))
    found = run_to_end(config, runtime=Runtime(compile=True)).last
    assert counting_compiler.frame_count == 2 and found.val_loss == pytest.approx(
        run_to_end(config).last.val_loss, rel=1e-3
    )


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("dropout", 1.0), ("positions", "none"), ("model_dim", 511), ("num_layers", 0), ("init_std", 0.0)],
)
def test_a_model_that_cannot_be_is_refused(field, wrong):
    with pytest.raises(ValueError, match=rf"GPT2\.{field} is .* but must be"):
        replace(GPT2(), **{field: wrong})
    with pytest.raises(ValueError, match=r"LayerNorm\.eps is 0.0 but must be positive"):
        LayerNorm(eps=0.0)


def test_positions_that_are_never_trained_are_not_evaluated(tiny):
    longer = replace(tiny.evaluation, seq_len=32)
    with pytest.raises(ValueError, match=r"evaluation.seq_len is 32 but must be at most 16, data.seq_len: GPT2 learns"):
        replace(tiny, model=GPT2(), evaluation=longer)
    assert replace(tiny, model=GPT2(positions="rope"), evaluation=longer).evaluation.seq_len == 32
