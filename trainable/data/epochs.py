"""Order in which the training stream is read: without end, or in passes (epochs) that all begin at a whole batch.

A position is one integer, so that the loop can own it. In passes it counts from the start of its pass, which lies at a
multiple of the stream's length; the tail of a pass that fills no batch is left out, as mainrun does. Without end the
last target of a step is the first input of the next; in ``spans`` no token is read twice: every micro-batch takes its
tokens and one more, as parameter golf's loader does, which so gets a token further with each. A stream of packed rows
(best_fit.py) is read row by row: each has its own target behind its inputs.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trainable.data.shards import Tokens, dtype_of

STREAM, EPOCHS, SPANS = ORDERS = ("stream", "epochs", "spans")


class Stream(Protocol):
    """Tokens that can be taken from any place: a TokenStream of data.py, which reads by the order that stands here."""

    @property
    def total_tokens(self) -> int: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def row_tokens(self) -> int | None: ...
    @property
    def markers(self) -> tuple[int, ...]: ...
    @property
    def paths(self) -> tuple[Path, ...]: ...
    def take(self, position: int, count: int) -> npt.NDArray[np.int64]: ...
    def __hash__(self) -> int: ...


class Order(Protocol):
    """The order that a DataConfig asks for."""

    @property
    def order(self) -> str: ...
    @property
    def batch_tokens(self) -> int: ...
    @property
    def seq_len(self) -> int: ...
    @property
    def grad_accum_steps(self) -> int: ...
    @property
    def document_shuffle_prob(self) -> float: ...
    @property
    def document_keep_frac(self) -> float: ...


def num_spans(config: Order, row_tokens: int | None = None) -> int:
    """Count the pieces of a step that each have a target more than inputs; of a packed stream that is each row."""
    if row_tokens is not None:
        return config.batch_tokens // config.seq_len
    return config.grad_accum_steps if config.order == SPANS else 1


def take(stream: Stream, position: int, config: Order, seed: int) -> tuple[npt.NDArray[np.int64], int]:
    """The tokens of the step at ``position``, int64 (batch_tokens + spans,), and the position of the next step."""
    if config.order == SPANS or stream.row_tokens is not None:
        count = config.batch_tokens + num_spans(config, stream.row_tokens)
        return stream.take(position, count), position + count
    after = position + config.batch_tokens
    if config.order == STREAM:
        return stream.take(position, config.batch_tokens + 1), after
    epoch, offset = divmod(position, stream.total_tokens)
    shuffled, length = _pass(stream, epoch, config, seed)
    _check_length(length, config)
    piece = slice(offset, offset + config.batch_tokens + 1)
    tokens = stream.take(offset, config.batch_tokens + 1) if shuffled is None else shuffled[piece].astype(np.int64)
    assert len(tokens) == config.batch_tokens + 1
    fits = piece.stop + config.batch_tokens <= length
    return tokens, after if fits else (epoch + 1) * stream.total_tokens


def check_pass(stream: Stream, config: Order) -> None:
    """Raise a ValueError for passes that fill no batch or have no documents to shuffle; it does not draw any.

    Rows that are packed are read as they stand: another length would cut them elsewhere.
    """
    if stream.row_tokens is not None:
        check_packed(stream.row_tokens, config)
    if config.order != EPOCHS:
        return
    _check_length(stream.total_tokens, config)
    if config.document_shuffle_prob > 0:
        _documents(stream, config.document_keep_frac)


def check_packed(row_tokens: int, config: Order) -> None:
    """Raise a ValueError for another way of reading rows of so many tokens than one after the other."""
    if config.order != STREAM:
        raise ValueError(f"data.order is {config.order!r} but must be {STREAM} for rows that are packed")
    if config.seq_len + 1 != row_tokens:
        raise ValueError(
            f"data.seq_len is {config.seq_len} but the rows are packed for {row_tokens - 1}: prepare them anew, by name"
        )


def epochs_at(stream: Stream, position: int, config: Order, seed: int) -> float:
    """The passes done at ``position``, in batches of a pass (or in tokens of an endless stream)."""
    if config.order != EPOCHS:
        return position / stream.total_tokens
    epoch, offset = divmod(position, stream.total_tokens)
    _, length = _pass(stream, epoch, config, seed)
    return epoch + offset / ((length - 1) // config.batch_tokens * config.batch_tokens) if offset else float(epoch)


def _pass(stream: Stream, epoch: int, config: Order, seed: int) -> tuple[Tokens | None, int]:
    """The tokens of a pass (None: as they stand in the stream) and how many there are."""
    shuffled = _shuffled(stream, epoch, config.document_shuffle_prob, config.document_keep_frac, seed)
    return shuffled, stream.total_tokens if shuffled is None else len(shuffled)


@functools.lru_cache(maxsize=2)  # every step of a pass asks; a pass is held in memory
def _shuffled(stream: Stream, epoch: int, prob: float, keep_frac: float, seed: int) -> Tokens | None:
    """Shuffle int(keep_frac * n) documents, with probability ``prob``, in an order drawn for this seed and pass."""
    draw = np.random.default_rng([seed, epoch])
    if draw.random() >= prob:
        return None
    documents, kept = _documents(stream, keep_frac)
    return np.concatenate([documents[i] for i in draw.permutation(len(documents))[:kept]])


def _documents(stream: Stream, keep_frac: float) -> tuple[list[Tokens], int]:
    """The documents of the stream, and how many of them a shuffled pass keeps."""
    tokens = stream.take(0, stream.total_tokens).astype(dtype_of(stream.vocab_size))
    starts = np.flatnonzero(np.isin(tokens, stream.markers))
    if len(starts) < 2:
        raise ValueError(f"{stream.paths[0].parent} has no markers between documents, so none can be shuffled")
    documents = np.split(tokens, starts[1:])
    if (kept := int(keep_frac * len(documents))) == 0:
        raise ValueError(
            f"data.document_keep_frac is {keep_frac:g}, which keeps none of {len(documents):,} documents: give more "
            f"documents, or a part of at least {1 / len(documents):.2g}"
        )
    return documents, kept


def _check_length(length: int, config: Order) -> None:
    """Raise a ValueError for a pass of so many tokens that fills no batch."""
    if length > config.batch_tokens:
        return
    unit = config.seq_len * config.grad_accum_steps
    fits = (length - 1) // unit * unit
    setting = f", or --set data.batch_tokens={fits}" if fits else ""
    raise ValueError(
        f"a pass over the data has {length:,} tokens but data.batch_tokens is {config.batch_tokens:,}, and one more is "
        f"a target: give more text{setting}"
    )
