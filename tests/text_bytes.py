"""The text that ids of a tokenizer stand for, which training itself has no use for."""

from __future__ import annotations

from collections.abc import Iterable

from trainable.data.tokenizer import Tokenizer


def text_bytes(tokenizer: Tokenizer, ids: Iterable[int]) -> bytes:
    """The bytes of some ids; ``<|bos|>`` has none."""
    return b"".join(tokenizer.tokens[i] for i in ids if i != tokenizer.bos)
