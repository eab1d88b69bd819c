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
    span leaves more out. A stream shorter than a span is a ValueError. The tokens go to the device at once, and the
    sum is read there at the end.
    """
    import torch
    from torch.nn.functional import cross_entropy

    span = rows * seq_len + 1
    if len(stream) < span:
        raise ValueError(
            f"evaluation.mainrun_rows is {rows} but {counted(rows, 'row')} of {seq_len} and a target are more than the "
            f"{len(stream):,} validation tokens"
        )
    tokens = torch.from_numpy(np.asarray(stream[: len(stream) // span * span]).astype(np.int32)).to(device)
    exact = "cpu" if torch.device(device).type == "mps" else device  # a device without float64
    nats = torch.zeros((), dtype=torch.float64, device=exact)
    with torch.no_grad():
        for part in tokens.view(-1, span):
            logits = forward(part[:-1].long().view(rows, seq_len)).float()
            losses = cross_entropy(logits.flatten(0, 1), part[1:].long(), reduction="none")
            nats += losses.to(exact).double().sum()
    return nats.item() / characters.count(stream)
