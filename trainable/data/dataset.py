"""Data as a run sees them: one endless stream of training tokens, and a fixed validation stream.

The stream is memory-mapped shards, read strictly in order, so that a position is one integer and the loop can own it.
``preparation.py`` makes it of whatever a config names as its source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
from terminal.nearest import rule_of_names

from trainable.component import Component
from trainable.data import epochs
from trainable.data.characters import CharacterCounter
from trainable.data.shards import Tokens
from trainable.data.sources import STDLIB
from trainable.data.tokenizer import BYTE_LEVEL, PRETOKENIZERS, ByteCounter
from trainable.ranges import Context, NumTokens, Part, PositivePart, Repeats, Vocabulary

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class DataConfig(Component):
    """Data of a run: the tokens that it reads, and how they are cut into batches."""

    kind: ClassVar[str] = "data"

    source: str = STDLIB  # stdlib, the name of a data set, or a path to shards or text
    vocab_size: Vocabulary = 1024  # tokens of the BPE trained on a text source; shards bring their own vocabulary
    tokenizer: str | None = None  # for text, in place of that BPE: gpt2, cl100k_base (tiktoken's), or a tokenizer.json
    pretokenizer: str = BYTE_LEVEL  # how text is cut before that BPE; url_isolated keeps web addresses apart
    seq_len: Context = 1024  # tokens a row
    batch_tokens: NumTokens = 524288  # tokens an optimizer step, over all its micro-batches
    grad_accum_steps: Repeats = 1  # micro-batches a step: memory only
    order: str = epochs.STREAM  # without end; epochs: passes of whole batches; spans: each micro-batch its own target
    document_shuffle_prob: Part = 0.0  # that a pass has its documents in another order, drawn for it from the seed
    document_keep_frac: PositivePart = 1.0  # of the documents, in a pass so shuffled

    def validate(self) -> None:
        self.check(self.source != "", "source", "'stdlib', the name of a dataset, or a path")
        unit = self.seq_len * self.grad_accum_steps
        rule = f"a positive multiple of seq_len * grad_accum_steps = {unit}"
        self.check(self.batch_tokens % unit == 0, "batch_tokens", rule)
        for name, known in (("order", epochs.ORDERS), ("pretokenizer", PRETOKENIZERS)):
            value = getattr(self, name)
            self.check(value in known, name, rule_of_names(value, known))
        learnt = self.tokenizer is None or self.pretokenizer == BYTE_LEVEL
        self.check(learnt, "pretokenizer", f"{BYTE_LEVEL} where data.tokenizer is given, which has its own")
        in_passes = self.document_shuffle_prob == 0 or self.order == epochs.EPOCHS
        self.check(in_passes, "document_shuffle_prob", "0 unless data.order is epochs")


@dataclass(frozen=True, eq=False)
class TokenStream:
    """Training shards in order as one endless sequence of tokens, which starts again after its end."""

    paths: tuple[Path, ...]
    shards: tuple[Tokens, ...]
    vocab_size: int
    markers: tuple[int, ...] = ()  # ids that stand before documents
    row_tokens: int | None = None  # of a row with its last target, where documents are packed into rows

    @property
    def total_tokens(self) -> int:
        """Tokens until the stream starts again."""
        return sum(len(shard) for shard in self.shards)

    def take(self, position: int, count: int) -> npt.NDArray[np.int64]:
        """``count`` tokens from ``position`` on (both in tokens; a position may lie beyond the end), as int64 (count,).

        A token outside the vocabulary is a ValueError here; on a device it would be a crash without a name.
        """
        assert position >= 0 and count >= 1
        taken = np.empty(count, dtype=np.int64)
        filled = 0
        for path, piece in self._pieces(position % self.total_tokens, count):
            if (highest := int(piece.max())) >= self.vocab_size:
                raise ValueError(f"{path}: token {highest} is beyond a vocabulary of {self.vocab_size:,} tokens")
            taken[filled : filled + len(piece)] = piece
            filled += len(piece)
        return taken

    def _pieces(self, position: int, count: int) -> Iterator[tuple[Path, Tokens]]:
        starts = [0, *accumulate(len(shard) for shard in self.shards)]
        index = next(i for i in range(len(self.shards)) if position < starts[i + 1])
        offset = position - starts[index]
        while count > 0:
            piece = self.shards[index][offset : offset + count]
            yield self.paths[index], piece
            count -= len(piece)
            index, offset = (index + 1) % len(self.shards), 0


@dataclass(frozen=True, eq=False)
class Dataset:
    """A source ready to train on.

    ``fingerprint`` names the tokens and the vocabulary, and goes into every result: it hashes the shards in the order
    in which they are read (whole up to 64 MiB a file; above, size, header and 64 sampled blocks) and the tokenizer. Of
    a named dataset, which is frozen and read as a prefix, it hashes the name, the validation split and the first
    training shard, so that it does not depend on how many shards a run needed.
    """

    fingerprint: str
    vocab_size: int
    train: TokenStream
    validation: Tokens  # (tokens,)
    bytes_of: ByteCounter
    description: str  # one line for the user
    characters: CharacterCounter | None = None  # of a source of text
    text_bytes: int | None = None  # of both splits of a source of text, as it was read


def batch(
    stream: TokenStream, position: int, config: DataConfig, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor, int]:
    """The step's inputs and targets at ``position``, both int64 (batch, seq_len), and the next step's position.

    Targets are the inputs shifted by one token; rows follow each other in the text, and windows cross documents.
    Micro-batches are consecutive rows. Positions start at 0 and go on through every pass of the stream; the seed
    matters where documents are shuffled.
    """
    import torch

    taken, following = epochs.take(stream, position, config, seed)
    return *inputs_and_targets(torch.from_numpy(taken), config), following


def inputs_and_targets(taken: torch.Tensor, config: DataConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows of a step, both (batch, seq_len), of the tokens that ``epochs.take`` gave for it.

    They share no memory: a hook may change its inputs in place.
    """
    spans = taken.view(len(taken) - config.batch_tokens, -1)  # (spans, tokens + 1)
    return spans[:, :-1].reshape(-1, config.seq_len), spans[:, 1:].clone().view(-1, config.seq_len)
