from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.text_bytes import text_bytes
from trainable.data import tokenizer
from trainable.data.dataset import Dataset, TokenStream
from trainable.evaluation.evaluate import EvaluationConfig, evaluate

BPE = tokenizer.train_tokenizer(["the cat sat on the mat, naïve as ever\n" * 50], 280)
TEXT = "the cat sat on the naïve mat\n" * 40
TOKENS = BPE.encode_document(TEXT)


@pytest.fixture
def dataset() -> Dataset:
    stream = TokenStream((Path("train.bin"),), (TOKENS,), BPE.vocab_size)
    return Dataset("0" * 16, BPE.vocab_size, stream, TOKENS, BPE.byte_counter(), "")


@pytest.fixture
def table() -> torch.Tensor:
    return torch.randn(BPE.vocab_size, BPE.vocab_size, generator=torch.Generator().manual_seed(0))


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary(dataset: Dataset) -> None:
    found = evaluate(
        lambda x: torch.zeros(*x.shape, BPE.vocab_size), dataset, EvaluationConfig(seq_len=1, batch_tokens=64), "cpu"
    )
    bits = math.log2(BPE.vocab_size) * found.tokens
    assert (found.tokens, found.bytes) == (len(TOKENS) - 1, len(TEXT.encode()))
    assert found.loss == pytest.approx(math.log(BPE.vocab_size), rel=1e-6)
    assert found.bpb == pytest.approx(bits / len(TEXT.encode()), rel=1e-6)


def test_the_loss_is_the_mean_over_the_targets_in_order(dataset: Dataset, table: torch.Tensor) -> None:
    found = evaluate(lambda x: table[x], dataset, EvaluationConfig(tokens=70, seq_len=16, batch_tokens=32), "cpu")
    ids = torch.from_numpy(TOKENS[:65].astype(np.int64))
    losses = -table.double().log_softmax(-1)[ids[:-1], ids[1:]]
    assert found.tokens == 64 and found.bytes == len(text_bytes(BPE, TOKENS[1:65]))
    assert found.loss == pytest.approx(losses.mean().item(), rel=1e-6)


@pytest.mark.parametrize("batch_tokens", [8, 24, 40, 10**6])
def test_the_batch_size_changes_nothing_and_every_pass_has_one_shape(
    dataset: Dataset, table: torch.Tensor, batch_tokens: int
) -> None:
    shapes = set()

    def forward(x: torch.Tensor) -> torch.Tensor:
        shapes.add(x.shape)
        return table[x].cumsum(1)  # depends on all that came before in the window

    reference = evaluate(lambda x: table[x].cumsum(1), dataset, EvaluationConfig(seq_len=8, batch_tokens=16), "cpu")
    found = evaluate(forward, dataset, EvaluationConfig(seq_len=8, batch_tokens=batch_tokens), "cpu")
    assert (found.tokens, found.bytes) == (reference.tokens, reference.bytes)
    assert found.loss == pytest.approx(reference.loss, rel=1e-6)
    assert found.bpb == pytest.approx(reference.bpb, rel=1e-6)
    assert len(shapes) == 1


def test_half_precision_logits_are_scored_in_fp32(dataset: Dataset, table: torch.Tensor) -> None:
    config = EvaluationConfig(seq_len=8, batch_tokens=64)
    rounded = table.bfloat16()
    found = evaluate(lambda x: rounded[x], dataset, config, "cpu")
    assert found.loss == evaluate(lambda x: rounded.float()[x], dataset, config, "cpu").loss


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_diverged_model_gets_the_loss_that_it_has(dataset: Dataset, value: float) -> None:
    def forward(x: torch.Tensor) -> torch.Tensor:
        return torch.full((*x.shape, BPE.vocab_size), value)

    found = evaluate(forward, dataset, EvaluationConfig(seq_len=8, batch_tokens=64), "cpu")
    assert not math.isfinite(found.loss) and not math.isfinite(found.bpb)


def test_no_gradients_are_kept(dataset: Dataset, table: torch.Tensor) -> None:
    table.requires_grad_()
    seen = []

    def forward(x: torch.Tensor) -> torch.Tensor:
        seen.append(table[x])
        return seen[-1]

    evaluate(forward, dataset, EvaluationConfig(seq_len=8, batch_tokens=64), "cpu")
    assert not any(logits.requires_grad for logits in seen)


@pytest.mark.parametrize(("tokens", "seq_len"), [(10**6, 8), (None, 10**6)])
def test_more_tokens_than_there_are_is_an_error_that_says_how_many(
    dataset: Dataset, tokens: int | None, seq_len: int
) -> None:
    config = EvaluationConfig(tokens=tokens, seq_len=seq_len, batch_tokens=10**6)
    with pytest.raises(ValueError, match=rf"1,000,000 but the validation stream has only {len(TOKENS) - 1:,}"):
        evaluate(lambda x: x, dataset, config, "cpu")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"seq_len": 0}, r"EvaluationConfig\.seq_len is 0"),
        ({"tokens": 1023}, r"EvaluationConfig\.tokens is 1023 but must be null or at least seq_len"),
        ({"batch_tokens": 1023}, r"EvaluationConfig\.batch_tokens is 1023"),
    ],
)
def test_a_config_that_cannot_be_is_refused(values: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        EvaluationConfig(**values)


def test_the_plain_score_is_of_the_same_tokens_without_overlap_and_learning() -> None:
    whole = EvaluationConfig(tokens=64, seq_len=16, batch_tokens=32, stride=4)
    assert whole.plain == EvaluationConfig(tokens=64, seq_len=16, batch_tokens=32)
