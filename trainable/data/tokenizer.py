"""Vocabularies: our byte-level BPE, and the exact number of text bytes that a target token stands for.

``rustbpe`` learns the merges and ``tiktoken`` applies them; both are deterministic. The byte count is what turns nats
per token into bits per byte, so that runs with different vocabularies can be compared. Other vocabularies' counts
stand in ``vocabulary_files.py``.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt
from terminal.counted import counted

from trainable.data.shards import Tokens, dtype_of

if TYPE_CHECKING:
    import tiktoken
    import torch

BOS = "<|bos|>"
FILE_NAME = "tokenizer.json"
FORMAT = "byte-level BPE 1"
BYTE_LEVEL = "bytelevel"
# What a pre-tokenizer sets apart before text is cut as usual; nothing is merged across the borders of a match.
PRETOKENIZERS = {BYTE_LEVEL: "", "url_isolated": r"(?i:https?://\S+)"}


@dataclass(frozen=True, eq=False)
class ByteCounter:
    """Counter of the bytes of text that each target token stands for: three tables over the vocabulary.

    The rule is parameter-golf's (SentencePiece writes the space before a word into the word's piece): a token counts
    its ``base_bytes``, plus one where it ``adds_leading_space`` and the token before it is no boundary (control,
    unknown or unused). A byte-level BPE keeps its spaces as bytes, so there nothing adds a space. Boundaries stand for
    no text: they cost bits and add no bytes.
    """

    base_bytes: npt.NDArray[np.int64]
    adds_leading_space: npt.NDArray[np.bool_]
    is_boundary: npt.NDArray[np.bool_]

    @property
    def vocab_size(self) -> int:
        return len(self.base_bytes)

    @overload
    def count(self, previous: torch.Tensor, target: torch.Tensor) -> torch.Tensor: ...
    @overload
    def count(self, previous: npt.NDArray[Any], target: npt.NDArray[Any]) -> npt.NDArray[np.int64]: ...
    def count(self, previous: Any, target: Any) -> Any:
        """Bytes of each ``target`` id (int64, same shape), where ``previous`` is the id in front of it."""
        import torch

        if isinstance(target, torch.Tensor):
            counted = self.count(previous.cpu().numpy(), target.cpu().numpy())
            return torch.from_numpy(counted).to(target.device)
        return self.base_bytes[target] + (self.adds_leading_space[target] & ~self.is_boundary[previous])


@dataclass(frozen=True)
class Tokenizer:
    """A byte-level BPE. Ids are ranks: 256 bytes, then the merges in the order learnt, then the special tokens."""

    pattern: str  # the regular expression that cuts text into the pieces within which bytes are merged
    tokens: tuple[bytes, ...]  # the bytes of each id, without the special tokens
    isolated: str = ""  # what is set apart before the pattern cuts; nothing where empty
    special: tuple[str, ...] = (BOS,)  # ids behind the merges, which stand for no text
    start: str = BOS  # the one of them that stands before every document

    @property
    def bos(self) -> int:
        """The id that stands before every document."""
        return len(self.tokens) + self.special.index(self.start)

    @property
    def vocab_size(self) -> int:
        return len(self.tokens) + len(self.special)

    @property
    def special_ids(self) -> dict[str, int]:
        return {name: len(self.tokens) + place for place, name in enumerate(self.special)}

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        import tiktoken

        ranks = {token: rank for rank, token in enumerate(self.tokens)}
        return tiktoken.Encoding(FORMAT, pat_str=self.pattern, mergeable_ranks=ranks, special_tokens=self.special_ids)

    def encode(self, text: str) -> Tokens:
        """The ids of a text, without ``<|bos|>``; that marker's own spelling in a text is text like any other."""
        pieces = [self._encoding.encode_ordinary(piece) for piece in set_apart(text, self.isolated)]
        return np.array([i for piece in pieces for i in piece], dtype=dtype_of(self.vocab_size))

    def encode_document(self, text: str) -> Tokens:
        """``<|bos|>`` and the ids of a text."""
        return np.concatenate([np.array([self.bos], dtype=dtype_of(self.vocab_size)), self.encode(text)])

    def encode_documents(self, texts: list[str]) -> list[Tokens]:
        """The documents of many texts, on all cores; of a vocabulary that isolates none."""
        assert not self.isolated
        found = self._encoding.encode_ordinary_batch(texts, num_threads=os.cpu_count() or 1)
        return [np.array([self.bos, *ids], dtype=dtype_of(self.vocab_size)) for ids in found]

    def byte_counter(self) -> ByteCounter:
        lengths = np.array([*(len(token) for token in self.tokens), *(0 for _ in self.special)], dtype=np.int64)
        boundary = np.zeros(self.vocab_size, dtype=np.bool_)
        boundary[len(self.tokens) :] = True
        return ByteCounter(lengths, np.zeros(self.vocab_size, dtype=np.bool_), boundary)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON. The file appears complete or not at all."""
        tokens = [base64.b64encode(token).decode() for token in self.tokens]
        rules = {"pattern": self.pattern, "isolated": self.isolated}
        start = {} if self.start == BOS else {"start": self.start}
        data = {"format": FORMAT, **rules, **start, "special": self.special_ids, "tokens_base64": tokens}
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(data, indent=0), encoding="utf-8")
        os.replace(partial, path)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read what :meth:`save` wrote; anything else is a ValueError."""
        data = read_json(path)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"{path} is not a tokenizer of the format {FORMAT!r}")
        try:
            tokens = tuple(base64.b64decode(token, validate=True) for token in data["tokens_base64"])
            special, start = tuple(sorted(data["special"], key=data["special"].get)), str(data.get("start", BOS))
            isolated = str(data.get("isolated", ""))
            loaded = cls(str(data["pattern"]), tokens, isolated=isolated, special=special, start=start)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is a damaged tokenizer file: {error!r}") from error
        if len(set(tokens)) != len(tokens) or sorted(tokens[:256]) != [bytes([b]) for b in range(256)]:
            raise ValueError(f"{path} is a damaged tokenizer file: its tokens are not 256 bytes and distinct merges")
        if loaded.special_ids != data["special"] or start not in special:
            raise ValueError(f"{path} is a damaged tokenizer file: its special tokens are not behind the merges")
        return loaded


def train_tokenizer(
    texts: Iterable[str],
    vocab_size: int,
    pretokenizer: str = BYTE_LEVEL,
    pattern: str | None = None,
    special: tuple[str, ...] = (BOS,),
) -> Tokenizer:
    """Learn a BPE of exactly ``vocab_size`` ids (256 bytes, the merges, the special tokens) from non-empty texts.

    ``pattern`` cuts the texts; null is GPT-4's, rustbpe's own default.
    """
    import rustbpe

    assert 256 + len(special) <= vocab_size <= 65536
    isolated = PRETOKENIZERS[pretokenizer]
    learnt = rustbpe.Tokenizer()
    pieces = (piece for text in texts for piece in set_apart(text, isolated))
    learnt.train_from_iterator(pieces, vocab_size=vocab_size - len(special), pattern=pattern)
    ranks = {rank: bytes(token) for token, rank in learnt.get_mergeable_ranks()}
    if len(ranks) + len(special) < vocab_size:
        raise ValueError(
            f"the vocabulary cannot have {vocab_size:,} tokens: the text has only "
            f"{counted(len(ranks) - 256, 'pair')} to merge; give more text of other words, or --set "
            f"data.vocab_size={len(ranks) + len(special)}"
        )
    tokens = tuple(ranks[i] for i in range(len(ranks)))
    return Tokenizer(learnt.get_pattern(), tokens, isolated=isolated, special=special)


def set_apart(text: str, isolated: str) -> list[str]:
    """A text cut before and after each match of a regular expression; the pieces joined are the text."""
    if not isolated:
        return [text]
    return [piece for piece in re.split(f"({isolated})", text) if piece]


def is_own_format(path: Path) -> bool:
    """Tell whether there is a tokenizer.json of this package; other libraries give their files the same name."""
    if not path.is_file():
        return False
    data = read_json(path)
    return isinstance(data, dict) and str(data.get("format", "")).startswith("byte-level BPE")


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}") from error
