"""Shards of tokens, opened as a dataset: memory-mapped, checked against the vocabulary, with their identity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainable.component_json import fingerprint
from trainable.data import shards, sources, tokenizer
from trainable.data.characters import CharacterCounter
from trainable.data.dataset import Dataset, TokenStream


def from_folder(folder: Path, name: str | None = None) -> Dataset:
    """The dataset of a folder of shards, whose splits their names tell."""
    train, validation = sources.splits(folder)
    return from_shards(folder, train, validation, name or str(folder), hashed=[*train, *validation], label="")


def from_shards(
    folder: Path, train: Sequence[Path], validation: Sequence[Path], name: str, hashed: Sequence[Path], label: str
) -> Dataset:
    """The dataset of shards and the tokenizer beside them. ``hashed`` are the shards that identify it."""
    opened = [shards.read(path) for path in validation]
    counter = tokenizer.byte_counter_of(folder)
    held_out = opened[0] if len(opened) == 1 else np.concatenate(opened)
    if (highest := int(held_out.max())) >= counter.vocab_size:
        raise ValueError(
            f"{folder}: validation token {highest} is beyond a vocabulary of {counter.vocab_size:,} tokens"
        )
    markers = tuple(np.flatnonzero(counter.is_boundary).tolist())
    stream = TokenStream(tuple(train), tuple(shards.read(path) for path in train), counter.vocab_size, markers)
    tables = (counter.base_bytes, counter.adds_leading_space, counter.is_boundary)
    vocabulary = hashlib.sha256(b"".join(table.tobytes() for table in tables)).hexdigest()
    return Dataset(
        fingerprint=fingerprint([label, vocabulary, len(validation), *(shards.digest(path) for path in hashed)]),
        vocab_size=counter.vocab_size,
        train=stream,
        validation=held_out,
        bytes_of=counter,
        description=f"{name}: {stream.total_tokens:,} training tokens, {len(held_out):,} validation tokens, "
        f"vocabulary of {counter.vocab_size:,}",
        characters=CharacterCounter.beside(folder),
    )
