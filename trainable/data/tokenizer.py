"""Vocabularies: our byte-level BPE, and the exact number of text bytes that a target token stands for.

``rustbpe`` learns the merges and ``tiktoken`` applies them; both are deterministic. The byte count is what turns nats
per token into bits per byte, so that runs with different vocabularies can be compared. It covers our own BPE,
SentencePiece models and GPT-2's vocabulary.
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

if TYPE_CHECKING:
    import tiktoken
    import torch

BOS = "<|bos|>"
FILE_NAME = "tokenizer.json"
FORMAT = "byte-level BPE 1"
GPT2_END_OF_TEXT = "<|endoftext|>"
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
    """A byte-level BPE. Ids are ranks: 256 bytes, then the merges in the order learnt, then ``<|bos|>`` as the last."""

    pattern: str  # the regular expression that cuts text into the pieces within which bytes are merged
    tokens: tuple[bytes, ...]  # the bytes of each id, without the special token
    isolated: str = ""  # what is set apart before the pattern cuts; nothing where empty

    @property
    def bos(self) -> int:
        """The id that stands before every document."""
        return len(self.tokens)

    @property
    def vocab_size(self) -> int:
        return len(self.tokens) + 1

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        import tiktoken

        ranks = {token: rank for rank, token in enumerate(self.tokens)}
        return tiktoken.Encoding(FORMAT, pat_str=self.pattern, mergeable_ranks=ranks, special_tokens={BOS: self.bos})

    def encode(self, text: str) -> npt.NDArray[np.uint16]:
        """The ids of a text, without ``<|bos|>``; that marker's own spelling in a text is text like any other."""
        pieces = [self._encoding.encode_ordinary(piece) for piece in set_apart(text, self.isolated)]
        return np.array([i for piece in pieces for i in piece], dtype=np.uint16)

    def encode_document(self, text: str) -> npt.NDArray[np.uint16]:
        """``<|bos|>`` and the ids of a text."""
        return np.concatenate([np.array([self.bos], dtype=np.uint16), self.encode(text)])

    def byte_counter(self) -> ByteCounter:
        lengths = np.array([*(len(token) for token in self.tokens), 0], dtype=np.int64)
        boundary = np.zeros(self.vocab_size, dtype=np.bool_)
        boundary[self.bos] = True
        return ByteCounter(lengths, np.zeros(self.vocab_size, dtype=np.bool_), boundary)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON. The file appears complete or not at all."""
        tokens = [base64.b64encode(token).decode() for token in self.tokens]
        rules = {"pattern": self.pattern, "isolated": self.isolated}
        data = {"format": FORMAT, **rules, "special": {BOS: self.bos}, "tokens_base64": tokens}
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(data, indent=0), encoding="utf-8")
        os.replace(partial, path)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read what :meth:`save` wrote; anything else is a ValueError."""
        data = _json(path)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"{path} is not a tokenizer of the format {FORMAT!r}")
        try:
            tokens = tuple(base64.b64decode(token, validate=True) for token in data["tokens_base64"])
            loaded = cls(pattern=str(data["pattern"]), tokens=tokens, isolated=str(data.get("isolated", "")))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is a damaged tokenizer file: {error!r}") from error
        if len(set(tokens)) != len(tokens) or sorted(tokens[:256]) != [bytes([b]) for b in range(256)]:
            raise ValueError(f"{path} is a damaged tokenizer file: its tokens are not 256 bytes and distinct merges")
        return loaded


def train_tokenizer(texts: Iterable[str], vocab_size: int, pretokenizer: str = BYTE_LEVEL) -> Tokenizer:
    """Learn a BPE of exactly ``vocab_size`` ids (256 bytes, the merges, ``<|bos|>``) from non-empty texts."""
    import rustbpe

    assert 257 <= vocab_size <= 65536
    isolated = PRETOKENIZERS[pretokenizer]
    learnt = rustbpe.Tokenizer()
    pieces = (piece for text in texts for piece in set_apart(text, isolated))
    learnt.train_from_iterator(pieces, vocab_size=vocab_size - 1)
    ranks = {rank: bytes(token) for token, rank in learnt.get_mergeable_ranks()}
    if len(ranks) + 1 < vocab_size:
        raise ValueError(
            f"the vocabulary cannot have {vocab_size:,} tokens: the text has only "
            f"{counted(len(ranks) - 256, 'pair')} to merge; give more text of other words, or --set "
            f"data.vocab_size={len(ranks) + 1}"
        )
    tokens = tuple(ranks[i] for i in range(len(ranks)))
    return Tokenizer(pattern=learnt.get_pattern(), tokens=tokens, isolated=isolated)


def set_apart(text: str, isolated: str) -> list[str]:
    """A text cut before and after each match of a regular expression; the pieces joined are the text."""
    if not isolated:
        return [text]
    return [piece for piece in re.split(f"({isolated})", text) if piece]


def byte_counter_of(folder: Path) -> ByteCounter:
    """The byte counter that belongs to a folder of shards.

    Looked for, in this order: our ``tokenizer.json`` beside the shards, a SentencePiece ``.model`` beside them or in
    ``../../tokenizers/`` (parameter-golf's layout), GPT-2's ``vocab.json`` beside them. None of them is a ValueError.
    """
    shared = _shared(folder)
    file = vocabulary_file(folder)
    if file is not None and file.name == FILE_NAME:
        return Tokenizer.load(file).byte_counter()
    if file is not None:
        return sentencepiece_counter(file) if file.suffix == ".model" else gpt2_counter(file)
    raise ValueError(
        f"bits per byte needs the tokenizer of the shards in {folder}: there is no {FILE_NAME} of this package, no "
        f"SentencePiece .model and no GPT-2 vocab.json beside them, and no .model in {shared}"
    )


def vocabulary_file(folder: Path) -> Path | None:
    """The file of the vocabulary that belongs to a folder of shards, looked for as in :func:`byte_counter_of`."""
    if is_ours(folder / FILE_NAME):
        return folder / FILE_NAME
    model = _sentencepiece_model(folder, _shared(folder))
    if model is None and (folder / "vocab.json").is_file():
        return folder / "vocab.json"
    return model


def _shared(folder: Path) -> Path:
    return folder.resolve().parent.parent / "tokenizers"


def check_sentencepiece(what: object) -> None:
    """Raise a ValueError, naming what needs it, where the package ``sentencepiece`` cannot be imported."""
    try:
        import sentencepiece  # noqa: F401
    except ImportError as error:
        raise ValueError(f"{what} needs the package sentencepiece: pip install sentencepiece") from error


def sentencepiece_counter(path: Path) -> ByteCounter:
    """The byte counter of a SentencePiece ``.model`` file."""
    check_sentencepiece(path)
    import sentencepiece

    model: Any = sentencepiece.SentencePieceProcessor()
    try:
        model.Load(str(path))
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is not a SentencePiece model: {error}") from error
    size = int(model.vocab_size())
    lengths = np.zeros(size, dtype=np.int64)
    space, boundary = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    for i in range(size):
        if model.is_control(i) or model.is_unknown(i) or model.is_unused(i):
            boundary[i] = True
        elif model.is_byte(i):
            lengths[i] = 1
        else:
            piece = str(model.id_to_piece(i))
            space[i] = piece.startswith("▁")
            lengths[i] = len(piece.removeprefix("▁").replace("▁", " ").encode())
    return ByteCounter(lengths, space, boundary)


def gpt2_counter(path: Path) -> ByteCounter:
    """The byte counter of GPT-2's ``vocab.json``, where a token is written with one character a byte."""
    data = _json(path)
    numbered = isinstance(data, dict) and all(type(i) is int for i in data.values())
    if not numbered or sorted(data.values()) != list(range(len(data))):
        raise ValueError(f"{path} is not a GPT-2 vocabulary: its values are not the ids 0, 1, 2, ...")
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    alphabet = {chr(b) for b in printable} | {chr(256 + n) for n in range(256 - len(printable))}
    lengths, boundary = np.zeros(len(data), dtype=np.int64), np.zeros(len(data), dtype=np.bool_)
    for token, i in data.items():
        if token == GPT2_END_OF_TEXT:
            boundary[i] = True
        elif alphabet.issuperset(token):
            lengths[i] = len(token)
        else:
            raise ValueError(f"{path} is not a GPT-2 vocabulary: {token!r} is not written with one character a byte")
    return ByteCounter(lengths, np.zeros(len(data), dtype=np.bool_), boundary)


def _sentencepiece_model(folder: Path, shared: Path) -> Path | None:
    """The one ``.model`` for a folder of shards; several are told apart by the size in the folder's name (sp1024)."""
    for place in (folder, shared):
        models = sorted(place.glob("*.model"))
        size = re.search(r"sp(\d+)", folder.resolve().name)
        if len(models) > 1 and size:
            models = [m for m in models if size.group(1) in re.findall(r"\d+", m.name)] or models
        if len(models) > 1:
            names = ", ".join(m.name for m in models)
            raise ValueError(f"{place} holds several models ({names}): leave the one of {folder} beside its shards")
        if models:
            return models[0]
    return None


def is_ours(path: Path) -> bool:
    """Tell whether there is a tokenizer.json of this package; other libraries give their files the same name."""
    if not path.is_file():
        return False
    data = _json(path)
    return isinstance(data, dict) and str(data.get("format", "")).startswith("byte-level BPE")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}") from error
