"""Vocabularies of Hugging Face's library tokenizers: a ``tokenizer.json`` with a byte-level model.

The library itself encodes, so that tokens are those that it gives anywhere. Bits per byte need the bytes of each token,
which a byte-level model writes with one character a byte; other models, and normalisers, which change the text, are
refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from terminal.short import shortened

from trainable.data.shards import Tokens, dtype_of
from trainable.data.tokenizer import ByteCounter, read_json

if TYPE_CHECKING:
    import tokenizers

_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [byte for byte in range(256) if byte not in _PRINTABLE]
# GPT-2's alphabet: printable bytes as themselves, the others as the characters from 256 on.
BYTE_OF = {chr(byte): byte for byte in _PRINTABLE} | {chr(256 + n): byte for n, byte in enumerate(_OTHERS)}

# What vocabularies call the token before a document, the first that one has.
STARTS = ("<|bos|>", "<|begin_of_text|>", "<s>", "[BOS]", "<bos>", "<|endoftext|>", "<|end_of_text|>", "<eos>", "</s>")


@dataclass(frozen=True)
class HFVocabulary:
    """A ``tokenizer.json``, read and checked."""

    path: Path
    tokens: tuple[tuple[str, bytes | None], ...]  # by id: the name, and the bytes; None where it stands for no text
    puts_space: bool  # before a text that does not begin with one (ByteLevel's add_prefix_space)

    @classmethod
    def load(cls, path: Path) -> HFVocabulary:
        """Read a file; a ValueError for one of another kind, or whose tokens' bytes cannot be told."""
        data = read_json(path)
        model = data.get("model") if isinstance(data, dict) else None
        if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
            raise ValueError(f"{path} is no tokenizer.json with a vocabulary of tokens by name")
        if mark := model.get("end_of_word_suffix") or model.get("continuing_subword_prefix"):
            raise ValueError(f"{path} marks parts of words by {mark!r}, so that the bytes of its tokens are not known")
        steps = pipeline_steps(data.get("pre_tokenizer"), "pretokenizers")
        levels = [step for step in steps if step.get("type") == "ByteLevel"]
        if not levels:
            raise ValueError(f"{path} is not byte-level, so that the bytes of its tokens are not known")
        if pipeline_steps(data.get("normalizer"), "normalizers"):
            raise ValueError(f"{path} has a normalizer, which changes the text: bits per byte would be of another text")
        added = _added(data.get("added_tokens"), path)
        own = {i: name for name, i in model["vocab"].items() if type(i) is int}
        names = own | {i: entry["content"] for i, entry in added.items()}
        if len(own) < len(model["vocab"]) or sorted(names) != list(range(len(names))):
            raise ValueError(f"{path} is a damaged tokenizer: its ids are not 0, 1, 2, ..., one a token")
        tokens = tuple((names[i], _bytes_of(names[i], added.get(i), path)) for i in range(len(names)))
        return cls(path, tokens, any(part.get("add_prefix_space", True) for part in levels))

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)

    @property
    def start(self) -> int | None:
        """The id before a document; None where the vocabulary has no such token."""
        ids = {name: i for i, (name, text) in enumerate(self.tokens) if text is None}
        return next((ids[name] for name in STARTS if name in ids), None)

    @cached_property
    def library(self) -> tokenizers.Tokenizer:
        """The library's own object."""
        import tokenizers

        try:
            return tokenizers.Tokenizer.from_file(str(self.path))
        except Exception as error:  # the library raises plain Exceptions
            raise ValueError(f"{self.path} cannot be read by the library tokenizers: {error}") from error

    @cached_property
    def single_bytes(self) -> frozenset[int]:
        """The bytes that have a token of their own, of which all others are made."""
        return frozenset(text[0] for _, text in self.tokens if text is not None and len(text) == 1)

    def encode(self, text: str) -> Tokens:
        """The ids that the library gives for a text, those that it adds itself included."""
        return np.array(self.library.encode(text).ids, dtype=dtype_of(self.vocab_size))

    def encode_all(self, texts: list[str]) -> list[Tokens]:
        """The ids of many texts, each as :meth:`encode` gives them, on all cores."""
        return [np.array(found.ids, dtype=dtype_of(self.vocab_size)) for found in self.library.encode_batch(texts)]

    def encode_document(self, text: str) -> Tokens:
        """The ids of a document, behind the token that begins one where the library does not add it itself."""
        ids = self.encode(text)
        if self.start is None or (len(ids) and int(ids[0]) == self.start):
            return ids
        return np.concatenate([np.array([self.start], dtype=ids.dtype), ids])

    def byte_counter(self) -> ByteCounter:
        """The bytes of each token. A space that is put before a document is not the text's."""
        boundary = np.array([text is None for _, text in self.tokens], dtype=np.bool_)
        lengths = np.array([len(text or b"") for _, text in self.tokens], dtype=np.int64)
        spaced = np.array([self.puts_space and (text or b"").startswith(b" ") for _, text in self.tokens])
        return ByteCounter(lengths - spaced, spaced, boundary)

    def text(self, ids: Iterable[int]) -> str:
        """The text of some tokens; bytes that are no UTF-8 become the replacement character."""
        return b"".join(self.tokens[i][1] or b"" for i in ids).decode(errors="replace")


def pipeline_steps(whole: Any, of: str) -> list[dict[str, Any]]:
    """The steps of a pre-tokenizer or normaliser, which may be a sequence of them, an empty one too."""
    if not isinstance(whole, dict):
        return []
    if whole.get("type") != "Sequence":
        return [whole]
    steps = whole.get(of)
    return [part for step in steps for part in pipeline_steps(step, of)] if isinstance(steps, list) else []


def _added(entries: Any, path: Path) -> dict[int, dict[str, Any]]:
    """Tokens that match a text before the model does, by id."""
    found: dict[int, dict[str, Any]] = {}
    for entry in entries if isinstance(entries, list) else [] if entries is None else [entries]:
        if not (isinstance(entry, dict) and type(entry.get("id")) is int and isinstance(entry.get("content"), str)):
            raise ValueError(f"{path} is a damaged tokenizer: the added token {shortened(entry)} has no id and content")
        found[entry["id"]] = entry
    return found


def _bytes_of(name: str, added: dict[str, Any] | None, path: Path) -> bytes | None:
    if added is not None:
        return None if added.get("special", False) else name.encode()
    try:
        return bytes(BYTE_OF[character] for character in name)
    except KeyError:
        raise ValueError(f"{path} is not byte-level: {name!r} is not written with one character a byte") from None
