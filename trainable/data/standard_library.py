"""The embedded default corpus: the Python standard library's own source, which every machine has, as mixed passages.

A batch of the recorded campaigns holds hundreds of documents by as many authors. A proxy's batch of 3,072 tokens would
hold half of one file, and files in order change their kind on the way (a hundred tables of character encodings stand
one behind the other). A run that reads them so fits what it has just read: whatever keeps its rate low at the end wins,
and a batch twice as large meets other text. Mixed, each batch is a sample of all of it, and so is the held-out text.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainable.data.text import Document, TextSource, in_order

PASSAGE_BYTES = 512  # about 200 tokens of a vocabulary of 1,024: a batch of 3,072 has 15 of them


# Tests are not the language's everyday prose; the config folders hold the paths of the machine Python was built on.
_NOT_LIBRARY = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}
_NOT_LIBRARY_PREFIXES = ("_sysconfigdata", "config-")


def passages() -> TextSource:
    """Passages of this Python's standard library: of every non-empty .py file but tests and build records."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if _in_library(name)]
        found = [Path(folder, name) for name in names if name.endswith(".py") and _in_library(name)]
        files += [file for file in found if file.stat().st_size > 0]
    if not files:
        raise ValueError(f"this Python keeps no source text in {root}: pass --data FOLDER with text files")
    name = f"Python {platform.python_version()} standard library"
    return Passages(name, root, in_order(root, files), by_name=True)


def _in_library(name: str) -> bool:
    return name not in _NOT_LIBRARY and not name.startswith(_NOT_LIBRARY_PREFIXES)


@dataclass(frozen=True)
class Passages(TextSource):
    """The documents of a source, cut at ends of lines into passages of about 512 bytes, in the order of their hashes.

    All of the text is held in memory. A passage is held out if its file is, so that no file is on both sides.
    """

    def documents(self) -> Iterator[Document]:
        """All passages. Their order depends on the names of the files and the places in them, never on chance."""
        found: list[tuple[bytes, Document]] = []
        for number, document in enumerate(super().documents()):
            name = self._relative(self.files[number])
            for place, passage in enumerate(cut(document.text)):
                order = hashlib.sha256(f"{name}\0{place}".encode()).digest()
                found.append((order, Document(passage, document.held_out)))
        found.sort(key=lambda pair: pair[0])
        yield from (document for _, document in found)

    def digest(self) -> str:
        """SHA-256 of the files and of how they are cut."""
        return hashlib.sha256(f"{super().digest()} {PASSAGE_BYTES}".encode()).hexdigest()


def cut(text: str, size: int = PASSAGE_BYTES) -> list[str]:
    """``text`` in passages that end with the line in which they reach ``size`` bytes; the last one may be shorter."""
    passages, lines, length = list[str](), list[str](), 0
    for line in text.splitlines(keepends=True):
        lines.append(line)
        length += len(line.encode())
        if length >= size:
            passages.append("".join(lines))
            lines, length = [], 0
    return [*passages, "".join(lines)] if lines else passages
