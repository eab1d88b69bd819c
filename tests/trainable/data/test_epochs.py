from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trainable.config import Budget
from trainable.data.dataset import DataConfig, TokenStream, batch
from trainable.data.epochs import epochs_at
from trainable.data.preparation import prepare

MARKER = 999
DATA = DataConfig(seq_len=2, batch_tokens=4, order="epochs")


@pytest.fixture
def dataset(dataset):
    """The made-up tokens, where one of them stands before documents."""
    return replace(dataset, train=replace(dataset.train, markers=(5,)))


def stream_of(*documents: list[int]) -> TokenStream:
    tokens = np.array([t for document in documents for t in (MARKER, *document)], dtype=np.uint16)
    return TokenStream((Path("folder/0.bin"), Path("folder/1.bin")), (tokens[:5], tokens[5:]), 1000, (MARKER,))


def read(stream: TokenStream, config: DataConfig, steps: int, seed: int = 0) -> tuple[list[list[int]], list[float]]:
    position, spans, epochs = 0, [], []
    for _ in range(steps):
        inputs, targets, position = batch(stream, position, config, seed)
        spans.append([*inputs.flatten().tolist(), int(targets.flatten()[-1])])
        epochs.append(epochs_at(stream, position, config, seed))
    return spans, epochs


def test_every_pass_begins_at_the_beginning_and_leaves_out_the_tail_that_fills_no_batch():
    stream = stream_of([1, 2, 3, 4], [5, 6, 7], [8, 9])
    tokens = [MARKER, 1, 2, 3, 4, MARKER, 5, 6, 7, MARKER, 8, 9]
    spans, epochs = read(stream, DATA, 5)
    assert spans == [tokens[0:5], tokens[4:9]] * 2 + [tokens[0:5]]
    assert epochs == [0.5, 1.0, 1.5, 2.0, 2.5]


def test_a_pass_that_ends_with_a_whole_batch_uses_all_of_it():
    spans, epochs = read(stream_of([1, 2, 3, 4], [5, 6, 7]), DATA, 3)  # 9 tokens: 2 batches and the last target
    assert spans[1][-1] == 7 and spans[2][0] == MARKER and epochs == [0.5, 1.0, 1.5]


def test_mainruns_seven_epochs_are_938_steps():
    stream = TokenStream((Path("f"),), (np.zeros(1_102_455, dtype=np.uint16),), 16_000)
    config = DataConfig(seq_len=128, batch_tokens=64 * 128, order="epochs")
    position = 0
    for step in range(1, 939):
        position = batch(stream, position, config)[2]
        assert epochs_at(stream, position, config, 0) == pytest.approx(step / 134, abs=1e-12)
    assert epochs_at(stream, position, config, 0) == 7.0


def test_without_passes_the_stream_goes_on_and_epochs_are_its_tokens():
    stream = stream_of([1, 2, 3, 4], [5, 6, 7], [8, 9])
    spans, epochs = read(stream, replace(DATA, order="stream"), 4)
    assert spans[3][:2] == [MARKER, 1] and epochs == [4 / 12, 8 / 12, 1.0, 16 / 12]


def test_a_shuffled_pass_holds_whole_documents_each_once():
    documents = [[10 * i + j for j in range(3)] for i in range(9)]
    stream = stream_of(*documents)  # 36 tokens: the last 4 are the tail of every pass
    spans, _ = read(stream, replace(DATA, document_shuffle_prob=1.0), 16)
    passes = [[t for span in spans[start : start + 8] for t in span[:-1]] for start in (0, 8)]
    orders = []
    for tokens in passes:
        found = [tokens[i + 1 : i + 4] for i in range(0, 32, 4)]
        assert tokens[::4] == [MARKER] * 8 and all(document in documents for document in found)
        assert len({document[0] for document in found}) == 8
        orders.append(found)
    assert orders[0] != orders[1] != documents[:8] != orders[0]


def test_a_part_of_the_documents_of_a_shuffled_pass_is_kept():
    stream = stream_of(*([i] for i in range(20)))
    config = replace(DATA, document_shuffle_prob=1.0, document_keep_frac=0.5)  # 10 documents: 20 tokens, 4 batches
    spans, epochs = read(stream, config, 8)
    for start in (0, 4):
        assert len({t for span in spans[start : start + 4] for t in span} - {MARKER}) >= 8
    assert epochs[3] == 1.0 and epochs[7] == 2.0 and epochs[0] == 0.25


def test_passes_are_shuffled_with_their_probability_and_by_the_seed():
    stream = stream_of(*([i] for i in range(20)))
    straight, _ = read(stream, DATA, 9)
    config, shuffled = replace(DATA, document_shuffle_prob=0.3), 0
    for seed in range(200):
        spans, _ = read(stream, config, 1, seed)
        shuffled += spans[0] != straight[0]
    assert 40 <= shuffled <= 80
    always = replace(DATA, document_shuffle_prob=1.0)
    assert read(stream, always, 9, seed=1) == read(stream, always, 9, seed=1) != read(stream, always, 9, seed=2)
    assert read(stream, replace(DATA, document_keep_frac=0.5), 9)[0] == straight


def test_a_budget_in_epochs_ends_with_its_pass(tiny, dataset, run_to_end):
    assert dataset.train.total_tokens == 2500  # 19 batches of 128
    config = replace(tiny, data=replace(tiny.data, order="epochs", batch_tokens=128), budget=Budget(epochs=2.0))
    reports = run_to_end(config, [0.5, 1.0]).reports
    assert [(r.step, r.milestone) for r in reports] == [(10, 0.5), (19, 1.0), (38, 2.0)]
    assert reports[1].progress == 0.5


def test_a_run_over_shuffled_passes_resumes_identically(tiny, assert_resumes_identically, first_difference, run_to_end):
    data = replace(tiny.data, batch_tokens=512, order="epochs", document_shuffle_prob=1.0, document_keep_frac=0.8)
    shuffled = replace(tiny, data=data)
    assert_resumes_identically(shuffled)
    straight = replace(tiny, data=replace(data, document_shuffle_prob=0.0))
    networks = [run_to_end(config).numbers["network"] for config in (shuffled, straight)]
    assert first_difference(*networks)


def test_documents_of_a_text_source_are_known_by_their_marker(tmp_path: Path):
    folder = tmp_path / "text"
    folder.mkdir()
    for i in range(12):
        (folder / f"{i:02d}.txt").write_text(f"{i} the cat sat on the mat\n" * 5, encoding="utf-8")
    config = DataConfig(source=str(folder), vocab_size=270, seq_len=4, batch_tokens=8)
    dataset = prepare(config, tmp_path / "cache")
    assert dataset.train.markers == (269,)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"order": "epoch"}, r"DataConfig\.order is 'epoch' .* did you mean 'epochs'\?"),
        ({"order": "stream", "document_shuffle_prob": 0.1}, "document_shuffle_prob is 0.1 but must be 0 unless"),
        ({"document_shuffle_prob": 1.1}, r"document_shuffle_prob is 1.1 but must be in \[0, 1\]"),
        ({"document_keep_frac": 0.0}, r"document_keep_frac is 0.0 but must be in \(0, 1\]"),
    ],
)
def test_a_config_that_cannot_be_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        replace(DATA, **changes)


def test_a_report_has_the_epochs_spent_and_the_very_milestone_that_was_asked_for(tiny, run_to_end):
    reports = run_to_end(replace(tiny, budget=Budget(epochs=0.128)), [0.05]).reports  # 2,500 tokens, 64 a step
    assert [(r.epochs, r.milestone) for r in reports] == [(128 / 2500, 0.05), (320 / 2500, 0.128)]


def test_data_that_fill_no_batch_or_hold_no_documents_are_errors():
    with pytest.raises(ValueError, match=r"a pass over the data has 4 tokens but data\.batch_tokens is 4"):
        batch(stream_of([1, 2, 3]), 0, DATA)
    plain = replace(DATA, document_shuffle_prob=1.0)
    nothing = TokenStream((Path("folder/0.bin"),), (np.arange(20, dtype=np.uint16),), 1000)
    with pytest.raises(ValueError, match="folder has no markers between documents"):
        batch(nothing, 0, plain)
