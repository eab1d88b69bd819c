from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from trainable.component_paths import with_values
from trainable.data.dataset import Dataset
from trainable.evaluation.evaluate import EvaluationConfig, evaluate
from trainable.evaluation.ttt import TTT
from trainable.evaluation.windows import Windows
from trainable.losses.z_loss import ZLoss
from trainable.report import validation
from trainable.run import Run
from trainable.runtime import Runtime

VOCAB_SIZE = 7


class Bigram(nn.Module):
    """Logits of a token are a row of a table."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(table))
        self.seen: list[tuple[bool, torch.Tensor]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((torch.is_grad_enabled(), x.clone()))
        return self.weight[x]


def score_first(stream: np.ndarray, table: np.ndarray, ttt: TTT) -> float:
    """By definition in float64, with the gradient of a table's cross-entropy written out."""
    table, velocity = table.copy(), np.zeros_like(table)
    inputs, targets = stream[:-1], stream[1:]
    chunks = math.ceil(len(targets) / ttt.chunk_tokens)
    nats = 0.0
    for c in range(chunks):
        part = slice(c * ttt.chunk_tokens, (c + 1) * ttt.chunk_tokens)
        x, y = inputs[part], targets[part]
        nats += (np.log(np.exp(table[x]).sum(1)) - table[x, y]).sum()
        if c == chunks - 1:
            break
        rate = ttt.lr / 2 * (1 + math.cos(math.pi * c / (chunks - 1)))
        for _ in range(ttt.epochs):
            for start in range(0, len(x), ttt.batch_tokens):
                a, b = x[start : start + ttt.batch_tokens], y[start : start + ttt.batch_tokens]
                gradient = np.zeros_like(table)
                for i, j in zip(a, b, strict=True):
                    probabilities = np.exp(table[i]) / np.exp(table[i]).sum()
                    gradient[i] += (probabilities - np.eye(VOCAB_SIZE)[j]) / len(a)
                gradient *= min(1.0, 1.0 / (np.linalg.norm(gradient) + 1e-6))
                velocity = 0.9 * velocity + gradient
                table -= rate * velocity
    return nats


@pytest.mark.parametrize(
    "ttt",
    [
        TTT(lr=0.5, epochs=3, chunk_tokens=16, batch_tokens=16),
        TTT(lr=0.1, epochs=1, chunk_tokens=24, batch_tokens=8),
        TTT(lr=5.0, epochs=2, chunk_tokens=8, batch_tokens=8),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 20.0])  # gradients below and above the clip
def test_the_score_is_that_of_the_definition(ttt, scale):
    draw = np.random.default_rng(0)
    stream, table = draw.integers(0, VOCAB_SIZE, 8 * 11 + 1), scale * draw.normal(size=(VOCAB_SIZE, VOCAB_SIZE))
    network = Bigram(table)
    found = ttt.nats(network, Windows(stream, 8, 8), 2, "cpu").item()
    assert found == pytest.approx(score_first(stream, table, ttt), rel=1e-5)
    assert (network.weight.detach().numpy() == table).all() and network.weight.grad is None


@pytest.mark.parametrize("stride", [8, 4, 3])
def test_nothing_is_learnt_that_was_not_scored_and_the_last_chunk_not_at_all(stride):
    stream = np.arange(8 * 9 + 1)  # each token says where it stands
    network = Bigram(np.zeros((len(stream), len(stream))))
    TTT(chunk_tokens=16, batch_tokens=16, epochs=1).nats(network, Windows(stream, 8, stride), 1, "cpu")
    scored, learnt = 0, 0
    for learns, x in network.seen:
        if learns:
            learnt = int(x.max()) + 1
            assert scored >= learnt == int(x.min()) + x.numel()
        else:
            scored = int(x.max()) + 1
    assert scored >= 72 and learnt == 64


@pytest.fixture
def config(tiny):
    values = {"evaluation.tokens": 400, "evaluation.ttt": TTT(lr=0.1, chunk_tokens=64, batch_tokens=64)}
    return with_values(tiny, {**values, "hooks.WeightAverage.decay": 0.5, "model.layers.LayerDropout.prob": 0.5})


def test_learning_lowers_the_score_and_leaves_no_trace(config, run_to_end, dataset: Dataset, first_difference):
    run = run_to_end(config).run
    before, random = [p.detach().clone() for p in run.network.parameters()], torch.get_rng_state()
    plain, learning, again = (validation(run, final) for final in (False, True, True))
    assert learning.loss < plain.loss and learning.tokens == plain.tokens
    assert learning == again
    assert first_difference(before, [p.detach() for p in run.network.parameters()]) is None
    assert first_difference(random, torch.get_rng_state()) is None
    assert all(p.grad is None for p in run.network.parameters())


def test_only_the_last_report_is_by_the_costly_methods(config, run_to_end, first_difference):
    costly = run_to_end(with_values(config, {"evaluation.stride": 4}), [3])
    plain = run_to_end(replace(config, evaluation=config.evaluation.plain), [3])
    assert costly.reports[0].val_loss == plain.reports[0].val_loss
    assert costly.last.val_loss != plain.last.val_loss
    assert first_difference(costly.numbers["network"], plain.numbers["network"]) is None


def test_loss_terms_and_hooks_do_not_reach_it(config, dataset: Dataset):
    run = Run.start(config, dataset, Runtime())
    bare = replace(config, losses=(), hooks=())
    terms = replace(bare, losses=(ZLoss(weight=10.0),))
    other = Run.start(terms, dataset, Runtime())
    assert validation(run, final=True) == validation(other, final=True)


def test_weights_in_autocast_learn_and_are_seen_to(config, dataset: Dataset):
    """Autocast keeps casts of weights, without their gradients where none were wanted at the time."""
    run = Run.start(config, dataset, Runtime(precision="bf16"))
    with torch.no_grad():
        for p in run.network.parameters():  # the first step of an untrained network moves no projection
            p.add_(torch.randn_like(p) * 0.1)
    blocks, moved = list(run.network.blocks.parameters()), []

    def forward(x: torch.Tensor) -> torch.Tensor:
        moved.append([p.detach().clone() for p in blocks])
        return run.network(x)

    wrapped = nn.Module()
    wrapped.network, wrapped.forward = run.network, forward
    run.network.eval()
    with run.runtime.autocast():
        learning = evaluate(wrapped, dataset, config.evaluation, "cpu")
    with run.runtime.autocast():
        plain = evaluate(run.network, dataset, config.evaluation.plain, "cpu")
    matrices = [i for i, p in enumerate(blocks) if p.ndim == 2]
    assert all((moved[0][i] != moved[-1][i]).any() for i in matrices)
    assert learning.loss < plain.loss


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"lr": 0.0}, r"TTT\.lr is 0\.0 but must be positive"),
        ({"epochs": 0}, r"TTT\.epochs is 0"),
        ({"chunk_tokens": 0}, r"TTT\.chunk_tokens is 0"),
        ({"batch_tokens": 0}, r"TTT\.batch_tokens is 0"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(values, says):
    with pytest.raises(ValueError, match=says):
        TTT(**values)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"ttt": TTT(chunk_tokens=1500)}, r"EvaluationConfig\.ttt .* a multiple of seq_len = 1024"),
        ({"ttt": TTT(batch_tokens=1000)}, r"EvaluationConfig\.ttt .* at least seq_len = 1024"),
        ({"stride": 0}, r"EvaluationConfig\.stride is 0 but must be null or at least 1"),
        ({"stride": 1025}, r"EvaluationConfig\.stride is 1025 but must be null or in 1\.\.seq_len = 1024"),
    ],
)
def test_methods_that_do_not_fit_the_windows_are_refused(values, says):
    with pytest.raises(ValueError, match=says):
        EvaluationConfig(**values)
