"""Shards of tokens, opened as a dataset: memory-mapped, checked against the vocabulary, with their identity."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainable.component_json import fingerprint
from trainable.data import shards, sources, vocabulary_files
from trainable.data.characters import CharacterCounter
from trainable.data.dataset import Dataset, TokenStream
from trainable.data.prepared_folder import read_facts


def from_folder(folder: Path, name: str | None = None) -> Dataset:
    """The dataset of a folder of shards, whose splits their names tell."""
    train, validation = sources.splits(folder)
    hashed = [*train, *validation]
    row_tokens = read_facts(folder).get("row_tokens")
    return from_shards(folder, train, validation, name or str(folder), hashed, label="", row_tokens=row_tokens)


def from_shards(
    folder: Path,
    train: Sequence[Path],
    validation: Sequence[Path],
    name: str,
    hashed: Sequence[Path],
    label: str,
    row_tokens: int | None = None,
) -> Dataset:
    """The dataset of shards and the tokenizer beside them. ``hashed`` are the shards that identify it.

    ``row_tokens`` is given where documents are packed into rows of so many.
    """
    opened = [shards.read(path) for path in validation]
    counter = vocabulary_files.byte_counter_of(folder)
    held_out = opened[0] if len(opened) == 1 else np.concatenate(opened)
    if (highest := int(held_out.max())) >= counter.vocab_size:
        raise ValueError(
            f"{folder}: validation token {highest} is beyond a vocabulary of {counter.vocab_size:,} tokens"
        )
    markers = tuple(np.flatnonzero(counter.is_boundary).tolist())
    stream = TokenStream(
        tuple(train), tuple(shards.read(path) for path in train), counter.vocab_size, markers, row_tokens
    )
    tables = (counter.base_bytes, counter.adds_leading_space, counter.is_boundary)
    vocabulary = hashlib.sha256(b"".join(table.tobytes() for table in tables)).hexdigest()
    packed = [] if row_tokens is None else [row_tokens]
    digests = (shards.digest(path) for path in hashed)
    return Dataset(
        fingerprint=fingerprint([label, vocabulary, len(validation), *packed, *digests]),
        vocab_size=counter.vocab_size,
        train=stream,
        validation=held_out,
        bytes_of=counter,
        description=f"{name}: {stream.total_tokens:,} training tokens, {len(held_out):,} validation tokens, "
        f"vocabulary of {counter.vocab_size:,}" + (f", in rows of {row_tokens - 1:,}" if row_tokens else ""),
        characters=CharacterCounter.beside(folder) if row_tokens is None else None,
    )
