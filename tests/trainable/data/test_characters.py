from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainable.data import tokenizer
from trainable.data.characters import CharacterCounter, mainrun_loss
from trainable.data.dataset import DataConfig, Dataset, TokenStream
from trainable.data.preparation import prepare
from trainable.evaluation.evaluate import EvaluationConfig, evaluate

BPE = tokenizer.train_tokenizer(["the cat sat on the mat, naïve as ever 😀\n" * 50], 280)
COUNTER = CharacterCounter.of(BPE)
TITLES = ["naïve cats 😀", "the mat", "ever sat the cat", "Ω", "on"] * 9
STREAM = np.concatenate([BPE.encode_document(title) for title in TITLES])
CHARACTERS = len("".join(title + "<eos>" for title in TITLES))
TABLE = torch.randn(BPE.vocab_size, BPE.vocab_size, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def dataset() -> Dataset:
    stream = TokenStream((Path("train.bin"),), (STREAM,), BPE.vocab_size)
    return Dataset("0" * 16, BPE.vocab_size, stream, STREAM, BPE.byte_counter(), "", characters=COUNTER)


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_the_characters_of_the_tokens_are_those_of_the_text(text: str) -> None:
    assert COUNTER.count(BPE.encode(text)) == len(text)
    assert COUNTER.count(BPE.encode_document(text)) == len(text) + len("<eos>")


@pytest.mark.parametrize(("rows", "seq_len"), [(2, 8), (4, 16), (1, 50), (3, 7)])
def test_mainruns_loss_is_its_formula_in_float64(rows: int, seq_len: int) -> None:
    tokens = torch.from_numpy(STREAM.astype(np.int64))
    nats, span = 0.0, rows * seq_len + 1
    log_probability = TABLE.double().log_softmax(-1)
    for i in range(len(tokens) // span):
        for j in range(i * span, (i + 1) * span - 1):
            nats -= log_probability[tokens[j], tokens[j + 1]].item()
    assert COUNTER.count(STREAM) == CHARACTERS
    found = mainrun_loss(lambda x: TABLE[x], STREAM, COUNTER, rows, seq_len, "cpu")
    assert found == pytest.approx(nats / CHARACTERS, rel=1e-6)


def test_mainruns_loss_falls_with_what_its_span_leaves_out_and_the_whole_one_does_not(dataset: Dataset) -> None:
    def uniform(x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(*x.shape, BPE.vocab_size)

    spans = len(STREAM) // 2, len(STREAM) // 2 + 1  # two spans just fit, or only one
    fits, misses = (mainrun_loss(uniform, STREAM, COUNTER, 1, span - 1, "cpu") for span in spans)
    assert misses < 0.55 * fits
    whole = evaluate(uniform, dataset, EvaluationConfig(seq_len=1, batch_tokens=64), "cpu")
    assert whole.nats_per_character == pytest.approx(math.log(280) * (len(STREAM) - 1) / (CHARACTERS - 5), rel=1e-6)


def test_an_evaluation_of_text_has_both_if_asked_and_of_shards_neither(dataset: Dataset) -> None:
    config = EvaluationConfig(seq_len=8, batch_tokens=16, mainrun_rows=2)
    found = evaluate(lambda x: TABLE[x], dataset, config, "cpu")
    assert found.mainrun_loss == mainrun_loss(lambda x: TABLE[x], STREAM, COUNTER, 2, 8, "cpu")
    assert found.nats_per_character == pytest.approx(
        found.loss * found.tokens / COUNTER.count(STREAM[1 : found.tokens + 1])
    )
    unasked = evaluate(lambda x: TABLE[x], dataset, replace(config, mainrun_rows=None), "cpu")
    assert unasked.mainrun_loss is None and unasked.loss == found.loss
    shards = replace(dataset, characters=None)
    assert evaluate(lambda x: TABLE[x], shards, replace(config, mainrun_rows=None), "cpu").nats_per_character is None
    with pytest.raises(ValueError, match="mainrun_rows needs a source of text"):
        evaluate(lambda x: TABLE[x], shards, config, "cpu")


def test_a_span_longer_than_the_stream_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"evaluation\.mainrun_rows is 64 but 64 rows of 128 and a target"):
        mainrun_loss(lambda x: TABLE[x], STREAM, COUNTER, 64, 128, "cpu")


def test_a_source_of_text_brings_its_characters(tmp_path: Path) -> None:
    (tmp_path / "titles.txt").write_text("naïve cats\n" * 200, encoding="utf-8")
    config = DataConfig(source=str(tmp_path / "titles.txt"), vocab_size=260, seq_len=4, batch_tokens=8)
    dataset = prepare(config, tmp_path / "cache")
    assert dataset.characters is not None
    everything = dataset.train.take(0, dataset.train.total_tokens)
    assert dataset.characters.count(everything) + dataset.characters.count(dataset.validation) == 11 * 200 + 2 * 5


def test_both_are_in_the_reports(tiny, dataset) -> None:
    from trainable.run import Run
    from trainable.runtime import Runtime
    from trainable.train import train

    data = replace(tiny.data, vocab_size=280)
    evaluation = EvaluationConfig(tokens=64, seq_len=16, batch_tokens=64, mainrun_rows=2)
    run = Run.start(replace(tiny, data=data, evaluation=evaluation), dataset, Runtime())
    (report,) = train(run)
    assert report.val_nats_per_character is not None and report.val_mainrun_loss is not None
    assert report.val_loss / report.val_nats_per_character == pytest.approx(
        dataset.characters.count(dataset.validation[1:65]) / 64
    )
    run = Run.start(replace(tiny, data=data), dataset, Runtime())
    assert [r.val_mainrun_loss for r in train(run)] == [None]
