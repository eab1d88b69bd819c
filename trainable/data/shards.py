"""Token shards: the ``.bin`` files that hold tokenised text.

A shard is a header of 256 little-endian int32 (magic 20240520, version 1, token count, zeros) and that many
little-endian uint16 tokens: the layout of the FineWeb shards of llm.c, modded-nanogpt and parameter-golf, so that
theirs open here and ours open there. Vocabularies beyond 65,536 have uint32 tokens, under llm.c's own magic and version
for those (20240801, 7). Reading maps the file into memory; magic, version and size are checked first.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = 20240520
VERSION = 1
WIDE_MAGIC = 20240801
WIDE_VERSION = 7
NARROW_VOCABULARY = 2**16  # up to here a token is a uint16
HEADER_INTS = 256
HEADER_BYTES = 4 * HEADER_INTS
TOKENS_PER_SHARD = 100_000_000  # where our writer and the published exports start a new file

WHOLE_DIGEST_BYTES = 64 * 2**20  # files up to this size are hashed whole
SAMPLES, SAMPLE_BYTES = 64, 64 * 2**10

Tokens = npt.NDArray[np.unsignedinteger[Any]]  # uint16 or uint32


def dtype_of(vocab_size: int) -> type[np.unsignedinteger[Any]]:
    """The type of a token of such a vocabulary."""
    return np.uint16 if vocab_size <= NARROW_VOCABULARY else np.uint32


def write(path: Path, tokens: npt.NDArray[np.generic]) -> None:
    """Write one shard of 1-D ``tokens``: wide where they are uint32, else each below 65,536. Appears whole or not."""
    assert tokens.ndim == 1 and 0 < len(tokens) < 2**31, "a shard holds between one and 2**31 - 1 tokens"
    wide = tokens.dtype == np.uint32
    assert wide or (int(tokens.min()) >= 0 and int(tokens.max()) < 2**16), "a token of a narrow shard is a uint16"
    header = np.zeros(HEADER_INTS, dtype="<i4")
    header[:3] = *((WIDE_MAGIC, WIDE_VERSION) if wide else (MAGIC, VERSION)), len(tokens)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(header.tobytes())
        file.write(tokens.astype("<u4" if wide else "<u2", copy=False).data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


class Writer:
    """Collects the documents of a split and writes a shard whenever one is full."""

    def __init__(self, folder: Path, split: str) -> None:
        self.folder, self.split = folder, split
        self.waiting: list[Tokens] = []
        self.waiting_tokens = self.written = self.total = 0

    def add(self, tokens: Tokens) -> None:
        self.waiting.append(tokens)
        self.waiting_tokens += len(tokens)
        self.total += len(tokens)
        while self.waiting_tokens >= TOKENS_PER_SHARD:
            self._write(TOKENS_PER_SHARD)

    def finish(self) -> int:
        """Write what is left, in a shard that is not full; the number of tokens of all shards."""
        if self.waiting_tokens:
            self._write(self.waiting_tokens)
        return self.total

    def _write(self, count: int) -> None:
        joined = np.concatenate(self.waiting)
        write(self.folder / f"text_{self.split}_{self.written:06d}.bin", joined[:count])
        self.waiting, self.waiting_tokens = [joined[count:]], len(joined) - count
        self.written += 1


def read(path: Path) -> Tokens:
    """The tokens of a shard as a read-only memory map. A file that is no whole shard is a ValueError."""
    if not path.is_file():
        raise ValueError(f"there is no token shard {path}")
    size = path.stat().st_size
    if size < HEADER_BYTES:
        raise ValueError(f"{path} holds {size:,} bytes but the header of a token shard alone is {HEADER_BYTES:,}")
    magic, version, count = (int(n) for n in np.fromfile(path, dtype="<i4", count=3))
    if magic not in (MAGIC, WIDE_MAGIC):
        raise ValueError(
            f"{path} starts with the number {magic} but a token shard starts with {MAGIC}, or with {WIDE_MAGIC}"
        )
    kind, readable = ("<u4", WIDE_VERSION) if magic == WIDE_MAGIC else ("<u2", VERSION)
    if version != readable:
        raise ValueError(f"{path} is a token shard of version {version} but only version {readable} can be read")
    if count < 1:
        raise ValueError(f"{path} says in its header that it holds {count:,} tokens but a shard holds at least one")
    expected = HEADER_BYTES + np.dtype(kind).itemsize * count
    if size != expected:
        raise ValueError(
            f"{path} holds {size:,} bytes but its header says {count:,} tokens, which is {expected:,} bytes: "
            f"the file is {'cut short' if size < expected else 'too long'}"
        )
    return np.memmap(path, dtype=kind, mode="r", offset=HEADER_BYTES, shape=(count,))


def shard_files(folder: Path, split: str) -> list[Path]:
    """The shards of a split ("train" or "val") in a folder, in the order in which they are read."""
    return sorted(folder.glob(f"*_{split}_*.bin"), key=lambda path: path.name)


def digest(path: Path) -> str:
    """SHA-256 of a file's size and bytes; above 64 MiB of the size, the header and 64 evenly spaced blocks of 64 KiB.

    The sample keeps a start on 16 GB of shards below a second. It sees another file, another export and a cut file; it
    can miss a few changed bytes.
    """
    size = path.stat().st_size
    found = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= WHOLE_DIGEST_BYTES:
            found.update(file.read())
        else:
            for i in range(SAMPLES):
                file.seek(i * (size - SAMPLE_BYTES) // (SAMPLES - 1))
                found.update(file.read(SAMPLE_BYTES))
    return found.hexdigest()
