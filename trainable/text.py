"""Documents from text files, split into training and held-out text.

A tenth is held out by a rule that depends on names or order alone, never on chance. Nothing is decoded leniently: a
byte that is not UTF-8 is an error, because bits per byte count the bytes of the text as it stands.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from terminal.nearest import nearest

SUFFIXES = (".txt", ".md", ".jsonl", ".parquet")
FIELD = "text"  # of a .jsonl object, column of a .parquet table
HELD_OUT_ONE_IN = 10


@dataclass(frozen=True)
class Document:
    """One document; an empty text stands for an empty row of a table and holds nothing to learn."""

    text: str
    held_out: bool


@dataclass(frozen=True)
class TextSource:
    """Files of text in a fixed order. Every pass reads the files again."""

    name: str
    root: Path
    files: tuple[Path, ...]
    by_name: bool = False  # hold out by the hash of each name alone, so that other files do not move the split
    ignored: str = ""  # what a folder holds besides text, for the user

    def documents(self) -> Iterator[Document]:
        """All documents in order. Raises a ValueError that names the file where one cannot be read."""
        if self.by_name or len(self.files) >= HELD_OUT_ONE_IN:
            held_out = self._held_out_files()
            for file in self.files:
                yield from (Document(text, file in held_out) for text in _texts(file))
        elif len(list(islice((text for text in self._all_texts() if text), HELD_OUT_ONE_IN))) == HELD_OUT_ONE_IN:
            number = 0
            for text in self._all_texts():
                number += bool(text)
                yield Document(text, bool(text) and number % HELD_OUT_ONE_IN == 0)
        else:
            for text in self._all_texts():
                kept, rest = _cut(text)
                yield Document(kept, False)
                if rest:
                    yield Document(rest, True)

    def digest(self) -> str:
        """SHA-256 over the relative names and the bytes of all files."""
        found = hashlib.sha256()
        for file in self.files:
            found.update(f"{self._relative(file)}\0".encode())
            found.update(_hash_of_bytes(file))
        return found.hexdigest()

    def _all_texts(self) -> Iterator[str]:
        for file in self.files:
            yield from _texts(file)

    def _held_out_files(self) -> set[Path]:
        ranked = sorted(self.files, key=lambda file: self._hash(file))
        if self.by_name:
            return {file for file in ranked if self._hash(file) % HELD_OUT_ONE_IN == 0}
        return set(ranked[: len(ranked) // HELD_OUT_ONE_IN])

    def _hash(self, file: Path) -> int:
        return int.from_bytes(hashlib.sha256(self._relative(file).encode()).digest()[:8], "big")

    def _relative(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()


def find(path: Path) -> TextSource:
    """The text under a path: one file, or a folder with all its text files at any depth (hidden ones left out)."""
    kinds = ", ".join(SUFFIXES)
    if path.is_file():
        if path.suffix not in SUFFIXES:
            hint = "; give the folder that holds the shards" if path.suffix == ".bin" else ""
            raise ValueError(f"{path} ends in {path.suffix!r} but text is read from {kinds}{hint}")
        return TextSource(str(path), path.parent, (path,))
    if not path.is_dir():
        raise ValueError(f"there is no file or folder {path}")
    found = [file for file in path.rglob("*") if file.is_file() and not _hidden(file.relative_to(path))]
    files = [file for file in found if file.suffix in SUFFIXES]
    others = Counter(file.suffix or file.name for file in found if file.suffix not in SUFFIXES)
    ignored = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
    if not files:
        raise ValueError(
            f"{path} holds no text ({kinds}) and no token shards (*_train_*.bin); it holds {ignored or 'nothing'}"
        )
    return TextSource(str(path), path, in_order(path, files), ignored=ignored)


def in_order(root: Path, files: list[Path]) -> tuple[Path, ...]:
    """Files by their names below ``root``."""
    return tuple(sorted(files, key=lambda file: file.relative_to(root).as_posix()))


def _hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def _cut(text: str) -> tuple[str, str]:
    """A text's first nine tenths and its last, by bytes, at the nearest line border, else at a character's."""
    data = text.encode()
    aim = len(data) * (HELD_OUT_ONE_IN - 1) // HELD_OUT_ONE_IN
    border = data.find(b"\n", aim, len(data) - 1) + 1
    border = border or data.rfind(b"\n", aim - len(data) // HELD_OUT_ONE_IN, aim) + 1
    if not border:
        border = next((i for i in range(aim, 0, -1) if data[i] & 0xC0 != 0x80), 0) if data else 0
    return data[:border].decode(), data[border:].decode()


def _texts(file: Path) -> Iterator[str]:
    if file.suffix == ".jsonl":
        return _jsonl(file)
    if file.suffix == ".parquet":
        return _parquet(file)
    return iter([_decode(file.read_bytes(), str(file))])


def _hash_of_bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size == 0:
            raise ValueError(f"{file} is empty")
        with file.open("rb") as data:
            return hashlib.file_digest(data, "sha256").digest()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error


def _decode(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = data[error.start]
        raise ValueError(f"{where} is not UTF-8 text: byte 0x{byte:02x} at position {error.start:,}") from error


def _jsonl(file: Path) -> Iterator[str]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{file} line {number}"
            if not line.strip():
                raise ValueError(f"{where} is empty but must be a JSON object with a field {FIELD!r}")
            try:
                row = json.loads(_decode(line, where))
            except json.JSONDecodeError as error:
                raise ValueError(f"{where} is not JSON: {error}") from error
            if not isinstance(row, dict) or FIELD not in row:
                names = row if isinstance(row, dict) else {}
                raise ValueError(f"{where} has no field {FIELD!r}: {nearest(FIELD, names, 'fields')}")
            yield _whole(row[FIELD], where)


def _parquet(file: Path) -> Iterator[str]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file)
        names: list[str] = table.schema_arrow.names
        if FIELD not in names:
            raise ValueError(f"{file} has no column {FIELD!r}: {nearest(FIELD, names, 'columns')}")
        row = 0
        for batch in table.iter_batches(columns=[FIELD]):
            for value in batch.column(0).to_pylist():
                row += 1
                yield _whole(value, f"{file} row {row}")
    except pyarrow.ArrowException as error:
        raise ValueError(f"{file} is not a Parquet file that can be read: {error}") from error


def _whole(value: Any, where: str) -> str:
    """A text field that can be written as UTF-8; JSON can spell half a surrogate pair, which cannot."""
    if not isinstance(value, str):
        raise ValueError(f"{where} has the {FIELD} {value!r} but it must be a string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{where} holds half a surrogate pair, which is no text: {error}") from error
    return value
