"""The targets that an evaluation needs, what it proposes where there are too few, and which config can be."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainable.data import tokenizer
from trainable.data.characters import CharacterCounter
from trainable.data.dataset import Dataset, TokenStream
from trainable.data.tokenizer import ByteCounter
from trainable.evaluation import evaluate as evaluation
from trainable.evaluation.evaluate import (
    Evaluation,
    EvaluationConfig,
    check_targets,
    evaluate,
    num_targets,
    setting_of,
    wanted,
)
from trainable.evaluation.ttt import TTT

BPE = tokenizer.train_tokenizer(["the cat sat on the mat\n" * 50], 265)
TOKENS = BPE.encode_document("the cat sat on the naïve mat\n" * 9)
TABLE = torch.randn(BPE.vocab_size, BPE.vocab_size, generator=torch.Generator().manual_seed(0))
EIGHT = EvaluationConfig(seq_len=8, batch_tokens=64)


def dataset_of(tokens: np.ndarray, characters: bool = True) -> Dataset:
    stream = TokenStream((Path("train.bin"),), (tokens,), BPE.vocab_size)
    counter = CharacterCounter.of(BPE) if characters else None
    return Dataset("0" * 16, BPE.vocab_size, stream, tokens, BPE.byte_counter(), "", characters=counter)


def scored(config: EvaluationConfig, dataset: Dataset) -> Evaluation:
    return evaluate(lambda x: TABLE[x].cumsum(1), dataset, config, "cpu")


@pytest.mark.parametrize(
    ("available", "proposed"),
    [
        (0, ""),
        (1, ", or --set evaluation.seq_len=1 --set evaluation.tokens=1"),
        (3, ", or --set evaluation.seq_len=2 --set evaluation.tokens=2"),
        (4, ", or --set evaluation.seq_len=4 --set evaluation.tokens=4"),
        (7, ", or --set evaluation.seq_len=4 --set evaluation.tokens=4"),
        (8, ", or --set evaluation.tokens=8"),
        (30, ", or --set evaluation.tokens=24"),
    ],
)
def test_the_proposed_setting_is_the_most_that_the_targets_are_enough_for(available, proposed) -> None:
    config = replace(EIGHT, tokens=100)
    assert setting_of(config, available) == proposed
    values = dict(part.removeprefix("evaluation.").split("=") for part in proposed.split() if "=" in part)
    if values:
        check_targets(dataset_of(TOKENS[: available + 1]), replace(config, **{k: int(v) for k, v in values.items()}))


@pytest.mark.parametrize("dependent", [{"stride": 6}, {"ttt": TTT(chunk_tokens=8, batch_tokens=8)}])
def test_a_shorter_window_is_proposed_only_where_stride_and_chunks_allow_it(dependent) -> None:
    config = replace(EIGHT, tokens=100, **dependent)
    allowed = ", or --set evaluation.seq_len=4 --set evaluation.tokens=4"
    assert setting_of(config, 5) == ("" if "stride" in dependent else allowed)
    assert setting_of(config, 9) == ", or --set evaluation.tokens=8"


@pytest.mark.parametrize(
    ("asked", "proposed"),
    [
        ({"tokens_on_the_way": 48}, ", or --set evaluation.tokens_on_the_way=40"),
        (
            {"tokens": 64, "tokens_on_the_way": 48},
            ", or --set evaluation.tokens=40 --set evaluation.tokens_on_the_way=40",
        ),
        ({"tokens": 64, "tokens_on_the_way": 16}, ", or --set evaluation.tokens=40"),
    ],
)
def test_a_part_on_the_way_must_be_there_too_and_what_is_proposed_is_enough(asked, proposed) -> None:
    config, dataset = replace(EIGHT, **asked), dataset_of(TOKENS[:45])
    name, count = next(iter(asked.items()))
    with pytest.raises(ValueError, match=rf"^evaluation.{name} is {count} but .* only 44 target tokens: .*{proposed}$"):
        num_targets(dataset, config)
    settings = dict(part.removeprefix("evaluation.").split("=") for part in proposed.split() if "=" in part)
    fitting = replace(config, **{name: int(value) for name, value in settings.items()})
    assert num_targets(dataset, fitting) == 40 and num_targets(dataset, fitting.plain) <= 40


def test_a_report_on_the_way_scores_its_part_and_the_last_one_all(tiny, dataset, run_to_end) -> None:
    whole = replace(tiny, evaluation=replace(tiny.evaluation, tokens=None))
    some = replace(whole, evaluation=replace(whole.evaluation, tokens_on_the_way=64))
    few = replace(whole, evaluation=replace(whole.evaluation, tokens=64))
    reports = {name: run_to_end(c, [2]).reports for name, c in {"whole": whole, "some": some, "few": few}.items()}
    on_the_way, at_the_end = ({name: found[i].val_loss for name, found in reports.items()} for i in (0, -1))
    assert on_the_way["some"] == on_the_way["few"] != on_the_way["whole"]
    assert at_the_end["some"] == at_the_end["whole"] != at_the_end["few"]
    assert some.key("") != whole.key("") != few.key("")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"tokens_on_the_way": 7}, r"tokens_on_the_way is 7 but must be null or at least seq_len = 8$"),
        (
            {"tokens": 16, "tokens_on_the_way": 24},
            r"must be null or at least seq_len = 8 and at most tokens = 16$",
        ),
    ],
)
def test_a_part_is_a_window_at_least_and_no_more_than_the_whole(asked, says) -> None:
    with pytest.raises(ValueError, match=says):
        replace(EIGHT, **asked)


def test_the_bytes_of_a_long_split_are_counted_in_pieces(monkeypatch) -> None:
    dataset = dataset_of(TOKENS[:64])
    expected = scored(EIGHT, dataset).bytes
    for piece in (1, 5, 56, 57):
        monkeypatch.setattr(evaluation, "COUNTED_TOKENS", piece)
        assert scored(EIGHT, dataset).bytes == expected


def test_exactly_as_many_targets_as_are_asked_for_are_enough_and_one_less_is_not() -> None:
    config = replace(EIGHT, tokens=40)
    assert num_targets(dataset_of(TOKENS[:41]), config) == 40
    with pytest.raises(ValueError, match=r"^evaluation.tokens is 40 but .* only 39 target tokens: .*tokens=32$"):
        num_targets(dataset_of(TOKENS[:40]), config)
    assert num_targets(dataset_of(TOKENS[:9]), EIGHT) == 8
    with pytest.raises(
        ValueError, match=r"^evaluation.seq_len is 8 but .* only 7 target tokens: .* least 9 tokens, or "
    ):
        num_targets(dataset_of(TOKENS[:8]), EIGHT)


@pytest.mark.parametrize(("tokens", "expected"), [(None, 56), (8, 8), (15, 8), (16, 16), (63, 56)])
def test_targets_are_whole_windows_of_what_is_asked_for_or_of_the_whole_stream(tokens, expected) -> None:
    dataset = dataset_of(TOKENS[:64])
    config = replace(EIGHT, tokens=tokens)
    assert num_targets(dataset, config) == expected == scored(config, dataset).tokens
    assert wanted(config) == (f"evaluation.tokens is {tokens}" if tokens else "evaluation.seq_len is 8")


def test_the_bytes_of_a_target_are_told_by_the_token_before_it() -> None:
    """As SentencePiece has it: a word has a space before it, but not behind a boundary."""
    every = np.ones(BPE.vocab_size, dtype=bool)
    counter = ByteCounter(np.zeros(BPE.vocab_size, dtype=np.int64), every, ~every)
    counter.is_boundary[BPE.bos] = True
    stream = np.array([BPE.bos, 5, 6, BPE.bos, 7, 8, 9, BPE.bos, 5], dtype=TOKENS.dtype)
    assert scored(EIGHT, replace(dataset_of(stream), bytes_of=counter)).bytes == 8 - 3


def test_nats_per_character_are_those_of_the_targets_and_null_where_there_is_no_text() -> None:
    dataset = dataset_of(TOKENS[:60])
    found = scored(EIGHT, dataset)
    characters = dataset.characters.count(TOKENS[1:57])
    assert found.nats_per_character == pytest.approx(found.loss * 56 / characters)
    assert found.bpb == pytest.approx(found.loss * 56 / math.log(2) / found.bytes)
    assert scored(EIGHT, dataset_of(TOKENS[:60], characters=False)) == replace(found, nats_per_character=None)


def test_mainruns_own_loss_is_reported_where_it_is_asked_for_and_needs_text() -> None:
    """One row of 8 at a time, over the whole stream: 6 spans of 9 tokens in 60, by the characters of all 60."""
    dataset = dataset_of(TOKENS[:60])
    found = scored(replace(EIGHT, mainrun_rows=1), dataset)
    spans = torch.from_numpy(TOKENS[:54].astype(np.int64)).view(6, 9)
    logits = TABLE[spans[:, :-1]].cumsum(1).double().log_softmax(-1)
    nats = -logits.gather(2, spans[:, 1:, None]).sum().item()
    assert found.mainrun_loss == pytest.approx(nats / dataset.characters.count(TOKENS[:60]), rel=1e-5)
    assert scored(EIGHT, dataset).mainrun_loss is None
    with pytest.raises(ValueError, match=r"evaluation.mainrun_rows needs a source of text"):
        scored(replace(EIGHT, mainrun_rows=1), dataset_of(TOKENS[:60], characters=False))


def test_a_stride_gives_each_target_the_context_of_the_window_that_scores_it() -> None:
    stream = torch.from_numpy(TOKENS[:17].astype(np.int64))
    nats = 0.0
    for target in range(1, 17):  # windows at 0, 4 and 8: the first scores targets 1 to 8, each other its last four
        begin = 0 if target <= 8 else 4 if target <= 12 else 8
        logits = TABLE[stream[begin:target]].double().sum(0)
        nats -= logits.log_softmax(-1)[stream[target]].item()
    found = scored(replace(EIGHT, stride=4), dataset_of(TOKENS[:17]))
    assert found.tokens == 16 and found.loss == pytest.approx(nats / 16, rel=1e-5)


def test_tokens_that_stand_for_no_text_have_no_bits_per_byte() -> None:
    markers = np.full(17, BPE.bos, dtype=TOKENS.dtype)
    with pytest.raises(ValueError, match=r"^the 16 validation tokens scored stand for no text: bits per byte has no"):
        scored(EIGHT, dataset_of(markers))


@pytest.mark.parametrize(
    "values",
    [
        {"tokens": 8},
        {"batch_tokens": 8},
        {"stride": 1},
        {"stride": 8},
        {"ttt": TTT(chunk_tokens=8, batch_tokens=8)},
        {"ttt": TTT(chunk_tokens=24, batch_tokens=99)},
    ],
)
def test_a_config_at_the_edge_can_be(values) -> None:
    made = replace(EIGHT, **values)
    assert {name: getattr(made, name) for name in values} == values


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"tokens": 7}, r"tokens is 7 but must be null or at least seq_len"),
        ({"batch_tokens": 7}, r"batch_tokens is 7 but must be at least seq_len"),
        ({"stride": 9}, r"stride is 9 but must be null or in 1\.\.seq_len = 8"),
        ({"stride": 0}, r"stride is 0 but must be"),
        ({"ttt": TTT(chunk_tokens=12, batch_tokens=8)}, r"chunk_tokens that is a multiple of seq_len = 8"),
        ({"ttt": TTT(chunk_tokens=16, batch_tokens=7)}, r"batch_tokens of at least seq_len = 8"),
    ],
)
def test_a_config_beyond_the_edge_is_refused(values, says) -> None:
    with pytest.raises(ValueError, match=rf"EvaluationConfig\..*{says}"):
        replace(EIGHT, **values)


def test_the_defaults_are_windows_of_1024_over_the_whole_stream_64_in_a_pass() -> None:
    assert EvaluationConfig() == EvaluationConfig(tokens=None, seq_len=1024, batch_tokens=64 * 1024, stride=None)


def test_the_plain_score_leaves_learning_out_too() -> None:
    assert replace(EIGHT, stride=4, ttt=TTT(chunk_tokens=8, batch_tokens=8)).plain == EIGHT
