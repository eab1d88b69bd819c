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

from trainable.data import tokenizer, vocabulary_files
from trainable.data.hf_vocabulary import HFVocabulary
from trainable.data.tokenizer import Tokenizer

if TYPE_CHECKING:
    import torch

MARKER_CHARACTERS = 5


@dataclass(frozen=True, eq=False)
class CharacterCounter:
    """Counter of the characters that begin in each token of a vocabulary.

    Vocabularies of the library ``tokenizers`` may put a space before each document that the text does not have: there
    a token that ``begins_with_space`` has one less where it stands first, or behind a boundary.
    """

    of_token: npt.NDArray[np.int64]
    begins_with_space: npt.NDArray[np.bool_] | None = None  # where a space is put before documents
    is_boundary: npt.NDArray[np.bool_] | None = None

    def count(self, tokens: npt.NDArray[np.integer]) -> int:
        """The characters of some tokens, the first of which begins a document; exact where they are whole text."""
        if not len(tokens):
            return 0
        first = 0 if self.begins_with_space is None else int(self.begins_with_space[tokens[0]])
        return int(self.of_token[tokens[0]]) - first + self.of_targets(tokens)

    def of_targets(self, tokens: npt.NDArray[np.integer]) -> int:
        """The characters of all tokens but the first."""
        found = int(self.of_token[tokens[1:]].sum())
        if self.begins_with_space is None or self.is_boundary is None:
            return found
        return found - int((self.begins_with_space[tokens[1:]] & self.is_boundary[tokens[:-1]]).sum())

    @classmethod
    def of(cls, bpe: Tokenizer) -> CharacterCounter:
        return cls(np.array([*map(_begun, bpe.tokens), *(MARKER_CHARACTERS for _ in bpe.special)], dtype=np.int64))

    @classmethod
    def beside(cls, folder: Path) -> CharacterCounter | None:
        """Make one for shards that were prepared from text; None where no file says which bytes a token has."""
        path = vocabulary_files.vocabulary_file(folder)
        if path is None or path.name != tokenizer.FILE_NAME:
            return None
        if tokenizer.is_own_format(path):
            return cls.of(Tokenizer.load(path))
        vocabulary = HFVocabulary.load(path)
        counter = vocabulary.byte_counter()
        spaced = counter.adds_leading_space if counter.adds_leading_space.any() else None
        of_token = [len(name) if text is None else _begun(text) for name, text in vocabulary.tokens]
        return cls(np.array(of_token, dtype=np.int64), spaced, counter.is_boundary)


def _begun(token: bytes) -> int:
    """Count the characters that begin in some bytes of UTF-8."""
    return sum(byte & 0xC0 != 0x80 for byte in token)


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
