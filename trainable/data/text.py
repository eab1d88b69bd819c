"""Documents from text files, split into training and held-out text.

A tenth is held out by a rule that depends on names or order alone, never on chance. What is no text is an error that
names its file and its line or row (plain_text.py).
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from terminal.counted import counted
from terminal.escape import elided
from terminal.nearest import nearest

from trainable.data import find_text, plain_text

FIELD = "text"  # of a .jsonl object, column of a .parquet table
HELD_OUT_ONE_IN = 10
LONGEST_LINE = 2**30  # bytes of a line of .jsonl: it is held in memory
WHOLE_FILES = (".txt", ".md")  # a document each
ROWS = 1024  # of a table, held in memory at a time
SHOWN = 60  # characters of a value in a message


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
    folder: bool = False  # of a user: what was read of it and what not is said

    @property
    def about(self) -> str:
        """Say how many files of a folder are read, and what is left out; empty for anything else."""
        left_out = f", left out {self.ignored}" if self.ignored else ""
        return f"{counted(len(self.files), 'file')} read{left_out}" if self.folder else ""

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
            found.update(os.fsencode(self._relative(file)) + b"\0")
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
        return int.from_bytes(hashlib.sha256(os.fsencode(self._relative(file))).digest()[:8], "big")

    def _relative(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()


def source_at(path: Path) -> TextSource:
    """The text under a path: one file, or a folder with all its text files at any depth (hidden ones left out)."""
    if not path.exists():
        raise ValueError(f"there is no file or folder {path}")
    if not path.is_dir():
        find_text.check_file(path)
        return TextSource(str(path), path.parent, (path,))
    found = find_text.below(path)
    files = in_order(path, found.files)
    if all(file.suffix in WHOLE_FILES for file in files):
        files = mixed(path, files)
    return TextSource(str(path), path, files, ignored=found.ignored, folder=True)


def mixed(root: Path, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Documents of a file each in the order of the hashes of their names, so that a batch is a sample of all of them.

    Files that lie side by side are often of one author or kind: read by their names, a run fits what it has just read.
    """

    def place(file: Path) -> bytes:
        return hashlib.sha256(b"order\0" + os.fsencode(file.relative_to(root).as_posix())).digest()

    return tuple(sorted(files, key=place))


def in_order(root: Path, files: list[Path]) -> tuple[Path, ...]:
    """Files by their names below ``root``."""
    return tuple(sorted(files, key=lambda file: file.relative_to(root).as_posix()))


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
    """The texts of a file; an empty one stands for a row that holds nothing."""
    if file.suffix == ".jsonl":
        return _jsonl(file)
    if file.suffix == ".parquet":
        return _parquet(file)
    return iter([plain_text.decode_text(file.read_bytes(), str(file))])


def _hash_of_bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size == 0:
            raise ValueError(f"{file} is empty")
        with file.open("rb") as data:
            return hashlib.file_digest(data, "sha256").digest()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error


def _jsonl(file: Path) -> Iterator[str]:
    with file.open("rb") as lines:
        number = 0
        while line := lines.readline(LONGEST_LINE + 1):
            number += 1
            where = f"{file} line {number}"
            if len(line) > LONGEST_LINE:
                raise ValueError(f"{where} is longer than {LONGEST_LINE:,} bytes")
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            yield _field_of(plain_text.decode_text(line, where), where) if line.strip() else ""


def _field_of(line: str, where: str) -> str:
    """The text of a JSON object. JSON lets a name stand twice, of which readers take the first or the last."""
    outermost: list[str] = []

    def names_of(members: list[tuple[str, Any]]) -> dict[str, Any]:
        outermost[:] = [name for name, _ in members]  # inner objects come first
        return dict(members)

    may_be_twice = line.count(f'"{FIELD}"') > 1 or "\\u00" in line  # a letter of the name may be spelt by its number
    try:
        row = json.loads(line, object_pairs_hook=names_of if may_be_twice else None)
    except RecursionError:
        raise ValueError(f"{where} is nested too deeply to be read as JSON") from None
    except ValueError as error:
        raise ValueError(f"{where} is not JSON: {error}") from error
    if not isinstance(row, dict) or FIELD not in row:
        names = row if isinstance(row, dict) else {}
        raise ValueError(f"{where} has no field {FIELD!r}: {nearest(FIELD, names, 'fields')}")
    if outermost.count(FIELD) > 1:
        raise ValueError(f"{where} has the field {FIELD!r} twice: leave one")
    return _whole(row[FIELD], where)


def _parquet(file: Path) -> Iterator[str]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file)
        names: list[str] = table.schema_arrow.names
        if FIELD not in names:
            raise ValueError(f"{file} has no column {FIELD!r}: {nearest(FIELD, names, 'columns')}")
        if (count := names.count(FIELD)) > 1:
            raise ValueError(f"{file} has {count} columns that are called {FIELD!r}: leave one")
        row = 0
        for batch in table.iter_batches(batch_size=ROWS, columns=[FIELD]):
            for value in batch.column(0).to_pylist():
                row += 1
                yield _whole(value, f"{file} row {row}")
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"{file} is not a Parquet file that can be read: {str(error).strip()}") from error


def _whole(value: Any, where: str) -> str:
    """A text that can be written as UTF-8: nothing for null, bytes as what they spell."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return plain_text.decode_text(value, where)
    if not isinstance(value, str):
        raise ValueError(f"{where} has the {FIELD} {elided(repr(value), SHOWN)} but it must be a string")
    plain_text.check(value, where)
    return value
