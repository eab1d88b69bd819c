"""Bits per byte of packed rows, against the sum over rows written down plainly in float64."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from trainable.data import tokenizer
from trainable.data.dataset import DataConfig, Dataset, TokenStream, batch
from trainable.data.epochs import check_pass
from trainable.evaluation.evaluate import EvaluationConfig, evaluate, num_targets
from trainable.evaluation.ttt import TTT

BPE = tokenizer.train_tokenizer(["the cat sat on the mat, naïve as ever\n" * 50], 280)
DRAW = np.random.default_rng(0)
ROWS, SEQ_LEN = 11, 6
TABLE = torch.randn(BPE.vocab_size, BPE.vocab_size, generator=torch.Generator().manual_seed(0))


def drawn(rows: int) -> np.ndarray:
    tokens = DRAW.integers(0, BPE.vocab_size - 1, (rows, SEQ_LEN + 1))
    tokens[:, 0] = BPE.bos
    tokens[::2, 3] = BPE.bos  # a second document begins within every other row
    return tokens.ravel().astype(np.uint16)


@pytest.fixture
def dataset() -> Dataset:
    train = TokenStream((Path("train.bin"),), (drawn(20),), BPE.vocab_size, (BPE.bos,), row_tokens=SEQ_LEN + 1)
    return Dataset("0" * 16, BPE.vocab_size, train, drawn(ROWS), BPE.byte_counter(), "")


@pytest.mark.parametrize("batch_tokens", [6, 24, 600])
@pytest.mark.parametrize("tokens", [None, 5 * SEQ_LEN])
def test_the_score_is_that_of_each_row_without_the_markers(dataset: Dataset, batch_tokens: int, tokens) -> None:
    config = EvaluationConfig(tokens=tokens, seq_len=SEQ_LEN, batch_tokens=batch_tokens)
    found = evaluate(lambda x: TABLE[x], dataset, config, "cpu")
    nats = text_bytes = targets = 0.0
    log_probability = TABLE.double().log_softmax(-1)
    for row in dataset.validation.reshape(ROWS, -1).astype(int)[: tokens and tokens // SEQ_LEN]:
        for before, target in itertools.pairwise(row):
            if target != BPE.bos:
                nats -= log_probability[before, target].item()
                text_bytes += len(BPE.tokens[target])
                targets += 1
    assert (found.tokens, found.bytes) == (targets, text_bytes)
    assert found.loss == pytest.approx(nats / targets, rel=1e-6)
    assert found.bpb == pytest.approx(nats / math.log(2) / text_bytes, rel=1e-6)


def test_a_batch_is_whole_rows_each_with_its_own_last_target(dataset: Dataset) -> None:
    config = DataConfig(seq_len=SEQ_LEN, batch_tokens=3 * SEQ_LEN)
    rows = dataset.train.shards[0].reshape(-1, SEQ_LEN + 1).astype(int)
    position = 0
    for step in range(8):  # 24 rows: it begins again after 20
        inputs, targets, position = batch(dataset.train, position, config)
        expected = rows[[(3 * step + i) % 20 for i in range(3)]]
        assert inputs.tolist() == expected[:, :-1].tolist() and targets.tolist() == expected[:, 1:].tolist()


def test_what_would_cut_the_rows_elsewhere_is_refused(dataset: Dataset) -> None:
    config = EvaluationConfig(seq_len=SEQ_LEN, batch_tokens=600)
    assert num_targets(dataset, config) == ROWS * SEQ_LEN
    ttt = TTT(chunk_tokens=SEQ_LEN, batch_tokens=SEQ_LEN)
    for wrong in ({"seq_len": 5}, {"stride": 2}, {"ttt": ttt}):
        with pytest.raises(ValueError, match=f"EvaluationConfig.{next(iter(wrong))} is .*packed"):
            num_targets(dataset, dataclasses.replace(config, **wrong))
    for wrong in ({"seq_len": 3}, {"order": "epochs"}, {"order": "spans"}):
        data = DataConfig(**{"seq_len": SEQ_LEN, "batch_tokens": 6, **wrong})
        with pytest.raises(ValueError, match=f"data.{next(iter(wrong))} is .*packed"):
            check_pass(dataset.train, data)
    with pytest.raises(ValueError, match=r"evaluation\.tokens is 72 but"):
        num_targets(dataset, dataclasses.replace(config, tokens=72))
