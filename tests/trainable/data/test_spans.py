"""Order ``spans``: parameter golf's loader, each of whose micro-batches takes a token more than it trains on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trainable.config import Budget
from trainable.data import download, preparation
from trainable.data.dataset import DataConfig, TokenStream, batch
from trainable.data.epochs import epochs_at

SPANS = DataConfig(seq_len=64, batch_tokens=2048, grad_accum_steps=8, order="spans")


class PublishedLoader:
    """The arithmetic of the script's loader on one rank: files that follow each other, and a place in them."""

    def __init__(self, files: list[np.ndarray]) -> None:
        self.files, self.file, self.place, self.taken = files, 0, 0, 0

    def token(self) -> int:
        if self.place == len(self.files[self.file]):
            self.file, self.place = (self.file + 1) % len(self.files), 0
        self.place, self.taken = self.place + 1, self.taken + 1
        return int(self.files[self.file][self.place - 1])

    def micro_batch(self, tokens: int, seq_len: int) -> tuple[np.ndarray, np.ndarray]:
        local = np.array([self.token() for _ in range(tokens + 1)])
        return local[:-1].reshape(-1, seq_len), local[1:].reshape(-1, seq_len)


def stream_of(*lengths: int) -> TokenStream:
    draw = np.random.default_rng(0)
    shards = tuple(draw.integers(0, 1000, n).astype(np.uint16) for n in lengths)
    return TokenStream(tuple(Path(f"{i}.bin") for i in range(len(shards))), shards, 1000)


@pytest.mark.parametrize("lengths", [(10_000,), (3001, 777, 1500)])
def test_batches_are_those_of_the_published_loader_across_shards_and_the_end(lengths):
    stream, position = stream_of(*lengths), 0
    published = PublishedLoader(list(stream.shards))
    for _ in range(7):
        inputs, targets, position = batch(stream, position, SPANS)
        parts = zip(inputs.chunk(8), targets.chunk(8), strict=True)
        for ours in parts:
            theirs = published.micro_batch(256, 64)
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one.numpy(), other)
        assert position == published.taken
    assert epochs_at(stream, position, SPANS, 0) == position / sum(lengths)


def test_after_three_steps_of_eight_micro_batches_it_is_24_tokens_ahead_of_the_stream():
    positions = {}
    for order in ("stream", "spans"):
        config, positions[order] = replace(SPANS, order=order), 0
        for _ in range(3):
            positions[order] = batch(stream_of(10_000), positions[order], config)[2]
    assert positions == {"stream": 6144, "spans": 6168}


def test_one_micro_batch_a_step_still_takes_a_token_more():
    config = replace(SPANS, grad_accum_steps=1)
    _, targets, position = batch(stream_of(10_000), 0, config)
    assert position == 2049
    assert batch(stream_of(10_000), position, config)[0].flatten()[0] != targets.flatten()[-1]


def test_inputs_and_targets_share_no_memory():
    for order in ("stream", "spans"):
        inputs, targets, _ = batch(stream_of(10_000), 0, replace(SPANS, order=order))
        before = targets.clone()
        inputs.fill_(-1)
        assert (targets == before).all()


def test_enough_shards_are_fetched_for_the_tokens_that_are_read_beside():
    """A run whose inputs alone fill a shard to its last token reads on in the next."""
    config = DataConfig(source="fineweb10B_sp1024", seq_len=1024, batch_tokens=8 * 1024 * 8, grad_accum_steps=8)
    remote = download.DATASETS[config.source]
    needed = 10**8 - 1000
    for order, shards in (("stream", 1), ("spans", 2)):
        limit = preparation._limit(replace(config, order=order), needed)
        assert download.shards_needed(remote, limit) == shards


def test_a_run_over_spans_resumes_identically_and_is_another_run(
    tiny, assert_resumes_identically, run_to_end, first_difference
):
    spans = replace(tiny, data=replace(tiny.data, order="spans", grad_accum_steps=2), budget=Budget(steps=4))
    assert_resumes_identically(spans)
    stream = replace(spans, data=replace(spans.data, order="stream"))
    assert first_difference(*(run_to_end(config).numbers["network"] for config in (spans, stream)))
    assert spans.key("") != stream.key("")


def test_documents_are_shuffled_in_passes_alone():
    with pytest.raises(ValueError, match=r"document_shuffle_prob is 0\.5 but must be 0 unless data.order is epochs"):
        replace(SPANS, document_shuffle_prob=0.5)
