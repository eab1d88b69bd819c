"""Vocabularies beside shards, of whatever library: which file it is, and the bytes of text that its tokens stand for.

They are our own byte-level BPE, a ``tokenizer.json`` of the library tokenizers, a SentencePiece model, GPT-2's
``vocab.json``.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np

from trainable.data.hf_vocabulary import BYTE_OF, HFVocabulary
from trainable.data.tokenizer import FILE_NAME, ByteCounter, Tokenizer, is_own_format, read_json

GPT2_END_OF_TEXT = "<|endoftext|>"


def byte_counter_of(folder: Path) -> ByteCounter:
    """The byte counter that belongs to a folder of shards.

    Looked for, in this order: our ``tokenizer.json`` beside the shards, a SentencePiece ``.model`` beside them or in
    ``../../tokenizers/`` (parameter-golf's layout), GPT-2's ``vocab.json`` beside them, a ``tokenizer.json`` of the
    library tokenizers beside them. None of them is a ValueError.
    """
    shared = _shared(folder)
    file = vocabulary_file(folder)
    if file is not None and file.name == FILE_NAME:
        return Tokenizer.load(file).byte_counter() if is_own_format(file) else HFVocabulary.load(file).byte_counter()
    if file is not None:
        return sentencepiece_counter(file) if file.suffix == ".model" else gpt2_counter(file)
    raise ValueError(
        f"bits per byte needs the tokenizer of the shards in {folder}: there is no {FILE_NAME}, no SentencePiece "
        f".model and no GPT-2 vocab.json beside them, and no .model in {shared}"
    )


def size_beside(folder: Path) -> int | None:
    """Tokens of the vocabulary that belongs to a folder of shards; None where there is none that can be read."""
    places = (folder / FILE_NAME, folder / "vocab.json", *folder.glob("*.model"), *_shared(folder).glob("*.model"))
    try:
        there = [(path, path.stat()) for path in sorted(places) if path.is_file()]
        return _size_beside(folder, tuple((path, state.st_mtime_ns, state.st_size) for path, state in there))
    except (OSError, ValueError):  # whoever opens the shards says what is wrong with it
        return None


@functools.lru_cache(maxsize=32)  # a plan asks for it dozens of times
def _size_beside(folder: Path, files: tuple[tuple[Path, int, int], ...]) -> int:
    """Read the vocabulary once for each state of the files that it can be in."""
    return byte_counter_of(folder).vocab_size


def vocabulary_file(folder: Path) -> Path | None:
    """The file of the vocabulary that belongs to a folder of shards, looked for as in :func:`byte_counter_of`."""
    if is_own_format(folder / FILE_NAME):
        return folder / FILE_NAME
    model = _sentencepiece_model(folder, _shared(folder))
    others = (folder / "vocab.json", folder / FILE_NAME)
    return model or next((path for path in others if path.is_file()), None)


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
    data = read_json(path)
    numbered = isinstance(data, dict) and all(type(i) is int for i in data.values())
    if not numbered or sorted(data.values()) != list(range(len(data))):
        raise ValueError(f"{path} is not a GPT-2 vocabulary: its values are not the ids 0, 1, 2, ...")
    lengths, boundary = np.zeros(len(data), dtype=np.int64), np.zeros(len(data), dtype=np.bool_)
    for token, i in data.items():
        if token == GPT2_END_OF_TEXT:
            boundary[i] = True
        elif BYTE_OF.keys() >= set(token):
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
