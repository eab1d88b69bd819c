"""Batches that are sent ahead to a device: the same as those that are read in place, on a device that is made up.

Its copies take place as late as they may, and it holds that no buffer is filled again before its copy is done.
"""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.gpu.waiting import Waits
from trainable import objective
from trainable.compiled_objective import build_objective
from trainable.data.dataset import DataConfig, TokenStream, batch
from trainable.data.prefetch import BUFFERS, Prefetcher
from trainable.data.shards import NARROW_VOCABULARY as NARROW
from trainable.run import Run
from trainable.runtime import Runtime

CONFIG = DataConfig(seq_len=4, batch_tokens=8)
SPANS = dataclasses.replace(CONFIG, order="spans", grad_accum_steps=2)
PASSES = dataclasses.replace(CONFIG, order="epochs", document_shuffle_prob=1.0, document_keep_frac=0.7)


class Late:
    """A copy that is made when somebody asks for it, and not before."""

    def __init__(self, buffer: torch.Tensor) -> None:
        self.buffer, self.copied, self.is_done = buffer, None, False

    def make(self) -> torch.Tensor:
        if self.copied is None:
            self.copied = self.buffer.clone()
        return self.copied


class MadeUp:
    """Plays the device."""

    def __init__(self) -> None:
        self.sent: list[Late] = []
        self.dtypes: set[torch.dtype] = set()
        self.finished = 0

    def buffer(self, tokens: int, dtype: torch.dtype) -> torch.Tensor:
        self.dtypes.add(dtype)
        return torch.empty(tokens, dtype=dtype)

    def send(self, buffer: torch.Tensor) -> Late:
        before = [late for late in self.sent if late.buffer is buffer]
        assert all(late.is_done for late in before), "the buffer was filled again before its copy was done"
        self.sent.append(Late(buffer))
        return self.sent[-1]

    def finish(self, sent: Late) -> None:
        self.finished += 1
        sent.is_done = True
        sent.make()

    def receive(self, sent: Late) -> torch.Tensor:
        return sent.make()


def stream_of(vocab_size: int = 1000, tokens: int = 103) -> TokenStream:
    """Every seventh token begins a document; the largest id of the vocabulary is among them."""
    kind = np.uint16 if vocab_size <= NARROW else np.uint32
    found = np.random.default_rng(0).integers(1, vocab_size, tokens).astype(kind)
    found[::7], found[3] = 0, vocab_size - 1
    return TokenStream((Path("made-up"),), (found,), vocab_size, markers=(0,))


def in_place(stream: TokenStream, config: DataConfig, seed: int = 0):
    position = 0
    while True:
        yield (taken := batch(stream, position, config, seed))
        position = taken[2]


def is_same(found, wanted) -> bool:
    same = all(torch.equal(f, w) and f.dtype == w.dtype for f, w in zip(found[:2], wanted[:2], strict=True))
    return same and found[2] == wanted[2]


@pytest.mark.parametrize("config", [CONFIG, dataclasses.replace(CONFIG, grad_accum_steps=2), SPANS, PASSES], ids=repr)
@pytest.mark.parametrize("vocab_size", [1000, NARROW, NARROW + 1, 200_000])
def test_batches_that_are_sent_ahead_are_those_that_are_read_in_place(config, vocab_size) -> None:
    if config is PASSES and vocab_size > NARROW:
        pytest.skip("documents are shuffled in 16 bits (epochs.py)")
    stream, position = stream_of(vocab_size), 0
    ahead = Prefetcher(stream, config, 3, MadeUp())
    for wanted in itertools.islice(in_place(stream, config, 3), 40):
        found = ahead.take(position)
        assert is_same(found, wanted), position
        position = found[2]


def test_inputs_and_targets_share_no_memory_with_each_other_or_with_a_later_batch() -> None:
    ahead = Prefetcher(stream_of(), CONFIG, 0, MadeUp())
    inputs, targets, position = ahead.take(0)
    kept = targets.clone()
    inputs.zero_()
    ahead.take(ahead.take(position)[2])
    assert torch.equal(targets, kept) and not inputs.any()


@pytest.mark.parametrize(("vocab_size", "dtype"), [(NARROW, torch.int16), (NARROW + 1, torch.int32)])
def test_tokens_are_sent_once_in_16_bits_where_the_vocabulary_fits(vocab_size, dtype) -> None:
    device = MadeUp()
    Prefetcher(stream_of(vocab_size), CONFIG, 0, device).take(0)
    assert device.dtypes == {dtype}
    assert [late.buffer.numel() for late in device.sent] == [CONFIG.batch_tokens + 1] * 2


def test_one_batch_is_sent_ahead_and_a_buffer_is_filled_again_only_when_its_copy_is_done() -> None:
    device, position = MadeUp(), 0
    ahead = Prefetcher(stream_of(), CONFIG, 0, device)
    for number in range(1, 6):
        position = ahead.take(position)[2]
        assert len(device.sent) == number + 1
        assert device.finished == max(0, number + 1 - BUFFERS)


def test_after_a_resume_elsewhere_what_was_sent_ahead_is_left_alone() -> None:
    stream = stream_of()
    ahead = Prefetcher(stream, CONFIG, 0, MadeUp())
    ahead.take(0)
    for position in (40, 8, 8, 0, 96):
        assert is_same(ahead.take(position), batch(stream, position, CONFIG))


def test_a_batch_that_cannot_be_read_raises_only_where_it_is_wanted() -> None:
    stream = stream_of(vocab_size=1000, tokens=60)
    stream.shards[0][20] = 1000  # beyond the vocabulary
    ahead = Prefetcher(stream, CONFIG, 0, MadeUp())
    inputs, _, position = ahead.take(8)  # tokens 8..16; the next batch has the bad one
    assert inputs.shape == (2, 4) and position == 16
    with pytest.raises(ValueError, match="token 1000 is beyond a vocabulary of 1,000 tokens"):
        ahead.take(position)


def test_taking_a_batch_makes_the_host_wait_for_nothing() -> None:
    ahead = Prefetcher(stream_of(), CONFIG, 0, MadeUp())
    with Waits() as seen:
        ahead.take(ahead.take(0)[2])
    assert seen.at == {}


def test_a_checkpoint_has_the_position_of_the_loop_not_of_what_was_sent_ahead(tiny, dataset) -> None:
    run = Run.start(tiny, dataset, Runtime())
    run.batches = Prefetcher(dataset.train, tiny.data, tiny.seed, MadeUp())
    chosen = build_objective(run)
    _, run.position = objective.next_step(run, chosen, 0.0)
    assert run.state_dict()["position"] == tiny.data.batch_tokens


def test_a_run_with_batches_sent_ahead_is_bit_identical(tiny, run_to_end, monkeypatch, first_difference) -> None:
    plain = run_to_end(tiny)
    start = Run.start.__func__

    def started(cls, *arguments, **named):
        run = start(cls, *arguments, **named)
        run.batches = Prefetcher(run.dataset.train, run.config.data, run.config.seed, MadeUp())
        return run

    monkeypatch.setattr(Run, "start", classmethod(started))
    assert first_difference(plain.numbers, run_to_end(tiny).numbers) is None


def test_on_a_cpu_batches_are_read_in_place(tiny, dataset) -> None:
    assert not isinstance(Run.start(tiny, dataset, Runtime()).batches, Prefetcher)
