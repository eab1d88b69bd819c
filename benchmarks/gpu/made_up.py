"""Made-up tokens, of the shapes of a real data set: what is measured depends on shapes, not on the text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainable.data import shards
from trainable.data.characters import CharacterCounter
from trainable.data.dataset import Dataset, TokenStream
from trainable.data.tokenizer import ByteCounter

CHAINS = 1024  # drawn side by side: one token after another would take a minute
SUCCESSOR_PROB = 0.7  # that a token is followed by the one it decides
DOCUMENT_TOKENS = 64
SMALL_VOCAB = 260


def made_up(vocab_size: int, tokens: int, validation: int, folder: Path | None = None) -> Dataset:
    """Tokens in which each one often decides the next; the training split lies in a file where a folder is given."""
    flat = _tokens(vocab_size, tokens + validation)
    training, path = flat[:tokens], Path("made-up")
    if folder is not None:
        path = folder / f"made_up_train_{vocab_size}.bin"
        shards.write(path, training)
        training = shards.read(path)
    boundary = np.arange(vocab_size) == vocab_size - 1
    return Dataset(
        fingerprint=f"made-up {vocab_size}",
        vocab_size=vocab_size,
        train=TokenStream((path,), (training,), vocab_size, (vocab_size - 1,)),
        validation=flat[tokens:].copy(),
        bytes_of=ByteCounter((~boundary).astype(np.int64), np.zeros(vocab_size, dtype=np.bool_), boundary),
        description="made up",
        characters=CharacterCounter(np.ones(vocab_size, dtype=np.int64)),
    )


def _tokens(vocab_size: int, count: int) -> npt.NDArray[np.uint16]:
    draw = np.random.default_rng(7)
    successor = draw.permutation(vocab_size).astype(np.int64)
    length = -(-count // CHAINS)
    chains = np.empty((CHAINS, length), dtype=np.uint16)
    now = draw.integers(vocab_size, size=CHAINS)
    for i in range(length):
        free = draw.random(CHAINS) >= SUCCESSOR_PROB
        now = np.where(free, draw.integers(vocab_size, size=CHAINS), successor[now])
        chains[:, i] = now
    flat = chains.reshape(-1)[:count]
    flat[::DOCUMENT_TOKENS] = vocab_size - 1
    return flat


@cache
def small_data() -> Dataset:
    """Data of the small models."""
    return made_up(SMALL_VOCAB, 200_000, 20_000)
