from __future__ import annotations

import numpy as np
import pytest
import torch

from trainable.data.dataset import Dataset
from trainable.evaluation.evaluate import EvaluationConfig, batch_shape, batch_tokens, evaluate
from trainable.evaluation.windows import Windows

VOCAB_SIZE = 11


@pytest.fixture
def stream() -> np.ndarray:
    return np.random.default_rng(0).integers(0, VOCAB_SIZE, 62)


@pytest.fixture
def table() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(VOCAB_SIZE, VOCAB_SIZE))


def all_nats(stream: np.ndarray, table: np.ndarray, seq_len: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """By definition: window by window, target by target, in float64. Also how often each target is scored."""
    nats, times = np.zeros(len(stream) - 1), np.zeros(len(stream) - 1, dtype=int)
    for start in range(0, len(stream) - 1, stride):
        if start + seq_len - stride >= len(stream) - 1:
            continue
        for target in range(start if start == 0 else start + seq_len - stride, start + seq_len):
            if target < len(stream) - 1:
                logits = table[stream[start : target + 1]].sum(0)  # what the model of the tests does
                nats[target] = np.log(np.exp(logits).sum()) - logits[stream[target + 1]]
                times[target] += 1
    return nats, times


@pytest.mark.parametrize(("seq_len", "stride"), [(8, 8), (8, 4), (8, 3), (8, 1), (16, 5), (61, 7), (1, 1), (60, 60)])
@pytest.mark.parametrize("batch_tokens", [61, 130, 10**6])
def test_every_target_is_scored_once_with_the_context_of_its_window(stream, table, seq_len, stride, batch_tokens):
    expected, times = all_nats(stream, table, seq_len, stride)
    assert (times == 1).all()
    weights, shapes = torch.tensor(table), set()

    def forward(x: torch.Tensor) -> torch.Tensor:
        shapes.add(x.shape)
        return weights[x].cumsum(1)  # depends on all that came before in the window

    windows = Windows(stream, seq_len, stride)
    rows = windows.rows(batch_tokens)
    assert windows.nats(forward, rows, "cpu").item() == pytest.approx(expected.sum(), rel=1e-6)
    assert len(shapes) == 1
    for end in range(1, windows.count + 1):  # and so in any two parts
        parts = [windows.nats(forward, rows, "cpu", *part).item() for part in ((0, end), (end, windows.count))]
        first = expected[: windows.first_scored(end)].sum()
        assert parts == pytest.approx([first, expected.sum() - first], rel=1e-5)


def test_overlapping_windows_score_the_same_text_with_more_context(dataset: Dataset):
    def forward(x: torch.Tensor) -> torch.Tensor:
        """Knows a token better the more came before it."""
        confidence = torch.arange(1.0, x.size(1) + 1)[:, None] / 8
        following = torch.zeros(*x.shape, dataset.vocab_size)
        following[:, :-1] = torch.nn.functional.one_hot(x[:, 1:], dataset.vocab_size).float()
        return following * confidence

    plain, finer = (
        evaluate(forward, dataset, EvaluationConfig(seq_len=16, batch_tokens=64, stride=s), "cpu") for s in (None, 4)
    )
    assert (plain.tokens, plain.bytes) == (finer.tokens, finer.bytes)
    assert finer.loss < plain.loss
    whole = evaluate(forward, dataset, EvaluationConfig(seq_len=16, batch_tokens=64, stride=16), "cpu")
    assert whole == plain


def test_what_is_filled_in_behind_the_end_is_never_scored(stream, table):
    weights = torch.tensor(table)
    weights[0] = torch.nan  # the model breaks on the token that fills
    stream = stream.clip(1)
    assert np.isfinite(Windows(stream, 8, 3).nats(lambda x: weights[x], 4, "cpu").item())


@pytest.mark.parametrize(("seq_len", "stride"), [(8, 8), (8, 3)])
def test_the_sum_stays_on_the_device_which_is_given_the_tokens_once(stream, seq_len, stride, monkeypatch):
    reads, weights = [], torch.randn(VOCAB_SIZE, VOCAB_SIZE)
    given, item, views = [], torch.Tensor.item, Windows._views
    monkeypatch.setattr(torch.Tensor, "item", lambda self: reads.append(self.shape) or item(self))
    monkeypatch.setattr(Windows, "_views", lambda *arguments: given.append(arguments[2:]) or views(*arguments))
    windows = Windows(stream, seq_len, stride)
    assert windows.count > 4
    windows.nats(lambda x: weights[x], 2, "cpu")
    assert reads == [] and given == [(0, windows.count)]


def test_a_part_of_the_windows_takes_only_its_own_tokens_along(stream, monkeypatch):
    given, views = [], Windows._views
    monkeypatch.setattr(Windows, "_views", lambda *arguments: given.append(arguments[2:]) or views(*arguments))
    windows = Windows(stream, 8, 4)  # 14 windows
    for part in ((0, 4), (4, 9), (9, 14), (13, 14), (5, 5)):
        windows.nats(lambda x: torch.zeros(*x.shape, VOCAB_SIZE), 3, "cpu", *part)
    assert windows.count == 15
    assert given == [(0, 6), (4, 10), (9, 15), (12, 15)]


@pytest.mark.parametrize(
    ("device", "asked", "vocab_size", "tokens"),
    [
        ("cpu", 2048, 1024, 2048),
        ("cuda", 2048, 1024, 65_536),
        ("cuda:0", 2048, 50_304, 5336),
        ("cuda", 65_536, 50_304, 65_536),
        ("mps", 2048, 1024, 2048),
    ],
)
def test_passes_on_cuda_are_as_large_as_keep_it_busy_and_elsewhere_those_asked_for(device, asked, vocab_size, tokens):
    config = EvaluationConfig(tokens=4096, seq_len=128, batch_tokens=asked)
    assert batch_tokens(config, vocab_size, device) == tokens


def test_the_shape_of_a_pass_is_known_before_it(dataset: Dataset):
    seen = set()

    def forward(x: torch.Tensor) -> torch.Tensor:
        seen.add(tuple(x.shape))
        return torch.zeros(*x.shape, dataset.vocab_size)

    for stride in (None, 4):
        config = EvaluationConfig(tokens=64, seq_len=16, batch_tokens=40, stride=stride)
        evaluate(
            lambda x: seen.add(tuple(x.shape)) or torch.zeros(*x.shape, dataset.vocab_size), dataset, config, "cpu"
        )
        assert seen == {batch_shape(dataset, config, "cpu")}
