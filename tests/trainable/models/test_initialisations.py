"""Every parameter of the campaigns' models starts as docs/initialisations.md has it of the published code."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import kstest

import search_spaces
from trainable.models.attention.output_gate import OutputGate
from trainable.models.blueberry import Blueberry
from trainable.models.gpt import GPT
from trainable.models.gpt2 import GPT2
from trainable.models.latent_attention import LatentHeads
from trainable.models.mixture_of_experts import Experts
from trainable.models.mlp import Silu, SwiGLU
from trainable.models.model import Model
from trainable.models.nanochat import Nanochat
from trainable.models.ngpt import NGPT
from trainable.models.stem.bigram_hash import BigramHash
from trainable.models.stem.smear_gate import SmearGate

PAGE = Path(__file__).parents[3] / "docs" / "initialisations.md"
SEEDS, DOUBTFUL = 12, 1e-4  # the p of a wrong distribution is 0
GOLF = GPT(num_layers=4, model_dim=32, num_heads=4, num_kv_heads=2)
NANOCHAT = Nanochat(num_layers=4, aspect_ratio=12, head_dim=12, short_window=4)
BLUEBERRY = Blueberry(num_layers=2, model_dim=32, num_heads=4, num_kv_heads=2)
STEM = (BigramHash(buckets=64, dim=8), SmearGate(init=0.5))
LATENT = LatentHeads(latent_dim=16, rope_dim=4)

# The labels of the table that a model is held to, and the model.
CASES: list[tuple[tuple[str, ...], Model]] = [
    (("GPT", "GPT, tied", "GPT, one matrix"), GOLF),
    (("GPT", "GPT, untied", "GPT, SwiGLU"), replace(GOLF, tie_embeddings=False, mlp=SwiGLU())),
    (("GPT", "GPT, tied", "GPT, one matrix", "GPT, stem of records"), replace(GOLF, stem=STEM)),
    (("Nanochat", "Nanochat, separate heads"), NANOCHAT),
    (("Nanochat", "Nanochat, latent heads"), replace(NANOCHAT, qkv=LATENT)),
    (
        ("Nanochat", "Nanochat, separate heads", "Nanochat, output gate"),
        replace(NANOCHAT, attention=(OutputGate(scale=1.0),)),
    ),
    (("GPT2",), GPT2(num_layers=2, model_dim=32)),
    (("NGPT, campaign",), replace(NGPT.campaign(), num_layers=2, model_dim=32)),
    (("NGPT, paper",), NGPT(num_layers=2, model_dim=32)),
    (("Blueberry", "Blueberry, separate", "Blueberry, drawn", "Blueberry, dense"), BLUEBERRY),
    (
        ("Blueberry", "Blueberry, separate", "Blueberry, zero", "Blueberry, dense", "Blueberry, untied"),
        replace(BLUEBERRY, zero_init_proj=True, tie_embeddings=False),
    ),
    (
        ("Blueberry", "Blueberry, joined", "Blueberry, drawn", "Blueberry, MoE"),
        replace(BLUEBERRY, experts=Experts(num_experts=4), mlp=Silu(), joined_qkv=True, qk_norm=False),
    ),
    (
        ("Blueberry", "Blueberry, separate", "Blueberry, zero", "Blueberry, MoE"),
        replace(BLUEBERRY, experts=Experts(num_experts=4), mlp=Silu(), zero_init_proj=True),
    ),
]


@dataclass(frozen=True)
class Start:
    """A row of the table."""

    model: str
    parameter: str  # with the wildcards of file names
    kind: str
    arguments: tuple[str, ...]

    def values(self, sizes: Mapping[str, Any]) -> list[float]:
        known = {"sqrt": math.sqrt, "__builtins__": {}, **sizes}
        return [float(eval(argument, known)) for argument in self.arguments]


def table() -> list[Start]:
    rows = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and (found := re.fullmatch(r"(\w+)\((.*)\)", cells[2])):
            rows.append(Start(cells[0], cells[1].strip("`"), found[1], tuple(found[2].split(", "))))
    return rows


def drawn(rows: list[Start], model: Model) -> dict[Start, list[np.ndarray]]:
    """Every parameter of a dozen models under its one row: as it is, or as a share of what it should be drawn from."""
    found: dict[Start, list[np.ndarray]] = defaultdict(list)
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        network = model.build(300, 16)
        for name, parameter in network.named_parameters():
            fitting = [row for row in rows if fnmatchcase(name, row.parameter)]
            assert len(fitting) == 1, f"{name} has {len(fitting)} rows"
            sizes = {"dim": model.model_dim, "inputs": parameter.size(-1) if parameter.ndim else 1}
            found[fitting[0]].append(held(fitting[0], parameter.detach().double().numpy(), sizes))
    assert found.keys() == set(rows), "a row of the table fits no parameter"
    return found


def held(row: Start, weights: np.ndarray, sizes: Mapping[str, Any]) -> np.ndarray:
    """Hold a parameter to what can be said of it alone; its numbers at the scale on which all of a row are alike."""
    values = row.values(sizes)
    if row.kind == "constant":
        np.testing.assert_allclose(weights, values[0], rtol=1e-6, atol=0)
    elif row.kind == "rows":
        np.testing.assert_array_equal(weights, np.repeat(np.array(values)[:, None], weights.shape[1], axis=1))
    elif row.kind == "linear":
        np.testing.assert_allclose(weights, np.linspace(*values, len(weights)), rtol=1e-6)
    elif row.kind == "uniform":
        low, high = values
        assert low - 1e-6 <= weights.min() and weights.max() <= high + 1e-6, row
        return ((weights - low) / (high - low)).ravel()
    else:
        assert row.kind == "normal", row
        return (weights / values[0]).ravel()
    return np.zeros(0)


@pytest.mark.parametrize(("labels", "model"), CASES, ids=[" + ".join(labels[1:] or labels) for labels, _ in CASES])
def test_every_parameter_starts_as_the_published_code_has_it(labels, model):
    rows = [row for row in table() if row.model in labels]
    for row, parts in drawn(rows, model).items():
        if row.kind in ("uniform", "normal"):
            numbers, expected = np.concatenate(parts), {"uniform": "uniform", "normal": "norm"}[row.kind]
            assert len(numbers) >= 200, row
            assert kstest(numbers, expected).pvalue > DOUBTFUL, row


def test_each_row_of_the_table_and_each_model_of_a_campaign_is_held():
    rows, used = table(), {label for labels, _ in CASES for label in labels}
    assert {row.model for row in rows} == used and len(rows) > 70
    bases = {type(search_spaces.load(name).scale("full").base.model) for name in search_spaces.names()}
    assert bases == {type(model) for _, model in CASES}


def test_a_gate_drawn_as_torch_draws_it_would_be_seen():
    """The smear gate was: bounds of 1/sqrt(24), where the source has 0 to 0.02."""
    row = next(row for row in table() if row.parameter == "smear.gate.weight")
    layer = torch.nn.Linear(24, 1, bias=False)
    with pytest.raises(AssertionError):
        held(row, layer.weight.detach().double().numpy(), {"dim": 48, "inputs": 24})
