"""The places of the columns of a Parquet file, as its footer says.

``FileMetaData.row_group(i).column(j)`` of pyarrow ends the process where a footer is damaged in some ways ("Definition
level histogram size mismatch"): its C++ exception is not caught. So the footer is read here.

A campaign has thousands of small files whose footers differ in their numbers only, and to go through one byte by byte
takes milliseconds. What is read of a footer does not depend on its numbers, nor on the texts behind them, which each
part has of its own: so the form of one, everything but these, is kept as a regular expression. A footer that it matches
would be read in the same steps, to the same fields; any other is read byte by byte.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache

from results.store.thrift import THRIFT_LIST, THRIFT_STRUCT, Reader

TOTAL_SIZE, DATA_PAGE, DICTIONARY_PAGE = 7, 9, 11  # of a column's metadata: compressed bytes; where its pages begin
Chunks = list[list[dict[int, int]]]  # by row group and column: the whole numbers of the column's metadata, by field id

VARINT = rb"[\x80-\xff]{0,9}+[\x00-\x7f]"  # a varint of 64 bits: the bytes before its last have the highest bit set
_WANTED = (TOTAL_SIZE, DATA_PAGE, DICTIONARY_PAGE)
_SCHEMA, _GROUPS = 2, 4  # fields of the footer (FileMetaData)
_COLUMNS, _METADATA = 1, 3  # of a row group; of a column chunk
_TAIL = 8  # bytes at the end of a file: the length of the footer and the magic
_MOST_FORMS = 8


def chunks(content: bytes) -> Chunks:
    """Read where the columns of a file lie. A ValueError for a footer that cannot be read."""
    start = len(content) - _TAIL - int.from_bytes(content[-_TAIL:-4], "little")
    for form in _FORMS.known:
        if (found := form.read(content, start)) is not None:
            return found
    return _FORMS.read(content, start)


@lru_cache(maxsize=4096)
def zigzag(varint: bytes) -> int:
    """The whole number of a varint in zigzag form."""
    found = 0
    for part in reversed(varint):
        found = found << 7 | part & 0x7F
    return (found >> 1) ^ -(found & 1)


@dataclass(frozen=True)
class _Form:
    """Everything of a footer but its numbers."""

    head: bytes  # the schema
    numbers: re.Pattern[bytes]  # the row groups; its groups are the numbers that are wanted
    tail: tuple[bytes, ...]  # what describes the whole file, before, between and behind its texts
    places: tuple[tuple[tuple[tuple[int, int], ...], ...], ...]  # by row group and column: field id, regex group

    def read(self, content: bytes, start: int) -> Chunks | None:
        """The numbers of a footer of this form; None where it has another."""
        if start < 0 or not content.startswith(self.head, start):
            return None
        found = self.numbers.match(content, start + len(self.head), len(content) - _TAIL)
        if found is None or not self._ends(Reader(content, found.end())):
            return None
        varints = found.groups()
        return [[{field: zigzag(varints[at]) for field, at in column} for column in group] for group in self.places]

    def _ends(self, reader: Reader) -> bool:
        """Tell whether the rest of a footer is as in this form."""
        for number, part in enumerate(self.tail):
            if number:
                reader.text()
            if not reader.content.startswith(part, reader.at):
                return False
            reader.at += len(part)
        return reader.at == len(reader.content) - _TAIL


class _Forms:
    """The forms that were met. They are learned at the 2nd, 4th, 8th ... footer of an unknown form only, since that
    takes longer than to read it: so files that are each of another form cost little more.
    """

    def __init__(self) -> None:
        self.known: deque[_Form] = deque(maxlen=_MOST_FORMS)
        self._unknown = 0

    def read(self, content: bytes, start: int) -> Chunks:
        """Read a footer of none of the known forms."""
        found = _read(Reader(content, start))
        self._unknown += 1
        if self._unknown > 1 and self._unknown.bit_count() == 1:
            self.known.appendleft(_form(content, start))
        return found


_FORMS = _Forms()


class _Places(Reader):
    """Reads the place of each number in its stead: which one it is in ``spans``."""

    def __init__(self, content: bytes, at: int) -> None:
        super().__init__(content, at)
        self.spans: list[tuple[int, int]] = []
        self.texts: list[tuple[int, int]] = []

    def text(self) -> None:
        start = self.at
        super().text()
        self.texts.append((start, self.at))

    def number(self) -> int:
        start = self.at
        super().number()
        self.spans.append((start, self.at))
        return len(self.spans) - 1

    def skip_described(self, kind: int) -> None:
        before = len(self.spans)
        super().skip_described(kind)
        del self.spans[before:]


def _read(reader: Reader) -> Chunks:
    found: Chunks = []
    for field, kind in reader.fields():
        if field == _GROUPS and kind == THRIFT_LIST:
            found = [_columns(reader) for _ in reader.structs()]
        elif field == _SCHEMA:
            reader.skip_described(kind)
        else:
            reader.skip(kind, 0)
    return found


def _columns(reader: Reader) -> list[dict[int, int]]:
    found: list[dict[int, int]] = []
    for field, kind in reader.fields():
        if field == _COLUMNS and kind == THRIFT_LIST:
            found = [_metadata(reader) for _ in reader.structs()]
        else:
            reader.skip(kind, 0)
    return found


def _metadata(reader: Reader) -> dict[int, int]:
    found: dict[int, int] = {}
    for field, kind in reader.fields():
        if field == _METADATA and kind == THRIFT_STRUCT:
            found |= reader.struct(1)  # of two, Thrift's own reader keeps what the second does not have
        else:
            reader.skip(kind, 0)
    return {field: found[field] for field in _WANTED if field in found}


def _form(content: bytes, start: int) -> _Form:
    """The form of a footer that can be read."""
    reader = _Places(content, start)
    found = _read(reader)
    wanted = sorted({span for group in found for column in group for span in column.values()})
    groups = {span: at for at, span in enumerate(wanted)}
    first = reader.spans[0][0] if reader.spans else start
    parts, at = [], first
    for place, (begin, end) in enumerate(reader.spans):
        parts += [re.escape(content[at:begin]), b"(%b)" % VARINT if place in groups else VARINT]
        at = end
    places = tuple(tuple(tuple((f, groups[s]) for f, s in column.items()) for column in group) for group in found)
    tail = []
    for begin, end in [text for text in reader.texts if text[0] >= at]:
        tail.append(content[at:begin])
        at = end
    tail.append(content[at:-_TAIL])
    return _Form(content[start:first], re.compile(b"".join(parts), re.DOTALL), tuple(tail), places)
