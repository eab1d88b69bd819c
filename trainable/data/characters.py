"""Nats per character of text: the metric of mainrun, faithful and whole.

Characters are counted from the tokens: in UTF-8 every character has one byte that is no continuation (0b10xxxxxx), so
the vocabulary's bytes are enough. The marker before a document counts as the five characters of mainrun's ``<eos>``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from terminal.counted import counted

from trainable.data import tokenizer
from trainable.data.tokenizer import Tokenizer

if TYPE_CHECKING:
    import torch

MARKER_CHARACTERS = 5


@dataclass(frozen=True, eq=False)
class CharacterCounter:
    """Counter of the characters that begin in each token of a vocabulary."""

    of_token: npt.NDArray[np.int64]

    def count(self, tokens: npt.NDArray[np.integer]) -> int:
        """The characters of some tokens; exact where they are whole text."""
        return int(self.of_token[tokens].sum())

    @classmethod
    def of(cls, bpe: Tokenizer) -> CharacterCounter:
        begun = [sum(byte & 0xC0 != 0x80 for byte in token) for token in bpe.tokens]
        return cls(np.array([*begun, MARKER_CHARACTERS], dtype=np.int64))

    @classmethod
    def beside(cls, folder: Path) -> CharacterCounter | None:
        """Make one for shards that were prepared from text; None where the tokenizer is not one of ours."""
        path = folder / tokenizer.FILE_NAME
        return cls.of(Tokenizer.load(path)) if tokenizer.is_ours(path) else None


def mainrun_loss(
    forward: Callable[[torch.Tensor], torch.Tensor],
    stream: npt.NDArray[np.integer],
    characters: CharacterCounter,
    rows: int,
    seq_len: int,
    device: torch.device | str,
) -> float:
    """mainrun's "val loss" of ``forward`` (tokens (rows, seq_len) -> logits) on a whole validation stream.

    Faults included: it walks in spans of rows * seq_len + 1 tokens, so that a target is skipped between two of them,
    drops the last span if it is partial, and still divides by the characters of the whole text. So it falls when the
    span leaves more out. A stream shorter than a span is a ValueError.
    """
    import torch
    from torch.nn.functional import cross_entropy

    span = rows * seq_len + 1
    if len(stream) < span:
        raise ValueError(
            f"evaluation.mainrun_rows is {rows} but {counted(rows, 'row')} of {seq_len} and a target are more than the "
            f"{len(stream):,} validation tokens"
        )
    nats = 0.0
    with torch.no_grad():
        for start in range(0, len(stream) - span + 1, span):
            tokens = torch.from_numpy(np.asarray(stream[start : start + span]).astype(np.int64)).to(device)
            logits = forward(tokens[:-1].view(rows, seq_len)).float()
            nats += cross_entropy(logits.flatten(0, 1), tokens[1:], reduction="none").cpu().double().sum().item()
    return nats / characters.count(stream)
