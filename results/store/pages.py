"""The pages of a Parquet file, as they describe themselves: the size that a page header names is what a decoder allots
and fills, and the footer, which is checked before, may say less.

A page header is a struct in Thrift's compact protocol (Parquet's format, PageHeader in parquet.thrift). No library that
we have reads it alone; of it only the two sizes are needed, and where it ends.
"""

from __future__ import annotations

import pyarrow.parquet as pq

from results.store import limits

MOST_PAGES = 100_000
_MAGIC = b"PAR1"  # how a file begins
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)
_UNCOMPRESSED, _COMPRESSED = 2, 3  # ids of the fields of a page header
_GROUPS, _COLUMNS, _COLUMN = 4, 1, 3  # of the footer (FileMetaData), of a row group, of a column chunk
_SIZE, _DATA, _DICTIONARY = 7, 9, 11  # of a column's metadata: its compressed bytes, and where its pages begin
_TAIL = 8  # bytes at the end of a file: the length of the footer and the magic


def check_pages(content: bytes, footer: pq.FileMetaData, most_bytes: int) -> int:
    """Sum the sizes that all pages claim to decompress to (bytes); a ValueError for more than ``most_bytes``."""
    total, pages = 0, 0
    groups = _chunks(content)
    if [len(group) for group in groups] != [footer.row_group(i).num_columns for i in range(footer.num_row_groups)]:
        raise ValueError("its footer contradicts itself: the columns of its parts are not those of the whole")
    for index, group in enumerate(groups):
        for column in group:
            starts = [column.get(_DATA, -1)]
            if _DICTIONARY in column:
                starts.append(column[_DICTIONARY])
            if footer.row_group(index).num_rows == 0 and content.startswith(_MAGIC):
                starts = [start for start in starts if start > 0] or [len(_MAGIC)]  # at 0, where no page is: none
            at, end = min(starts), min(starts) + column.get(_SIZE, -1)
            if not 0 <= at <= end <= len(content):
                raise ValueError("its footer points outside of the file")
            while at < end:
                at, size = page(content, at)
                total, pages = total + size, pages + 1
                if total > most_bytes:
                    raise ValueError(f"its pages take over {most_bytes:,} bytes decompressed")
                if pages > MOST_PAGES:
                    raise ValueError(f"it holds over {MOST_PAGES:,} pages")
    return total


def _chunks(content: bytes) -> list[list[dict[int, int]]]:
    """List the whole numbers of each column's metadata, by row group, as the footer has them.

    ``FileMetaData.row_group(i).column(j)`` of pyarrow ends the process where a footer is damaged in some ways
    ("Definition level histogram size mismatch"): its C++ exception is not caught.
    """
    length = int.from_bytes(content[-_TAIL:-4], "little")
    reader = _Reader(content, len(content) - _TAIL - length)
    return [_Reader(content, at).within((_COLUMNS, _COLUMN)) for at in reader.places(_GROUPS)]


def page(content: bytes, at: int) -> tuple[int, int]:
    """Return where the page that begins at ``at`` ends, and how many bytes it decompresses to."""
    reader = _Reader(content, at)
    sizes = reader.struct(0)
    compressed, uncompressed = sizes.get(_COMPRESSED, -1), sizes.get(_UNCOMPRESSED, -1)
    end = reader.at + compressed
    if compressed < 0 or uncompressed < 0 or end > len(content):
        raise ValueError("a page says an impossible size of itself")
    return end, uncompressed


class _Reader:
    """Thrift's compact protocol, as much of it as skips what is not asked for."""

    def __init__(self, content: bytes, at: int) -> None:
        self.content, self.at = content, at

    def byte(self) -> int:
        if not 0 <= self.at < len(self.content):
            raise ValueError("a page header is cut short")
        self.at += 1
        return self.content[self.at - 1]

    def varint(self) -> int:
        found, shift = 0, 0
        while shift < 70:
            part = self.byte()
            found |= (part & 0x7F) << shift
            if part < 0x80:
                return found
            shift += 7
        raise ValueError("a page header holds a number without end")

    def integer(self) -> int:
        """A varint in zigzag form."""
        found = self.varint()
        return (found >> 1) ^ -(found & 1)

    def struct(self, depth: int) -> dict[int, int]:
        """The whole numbers of a struct by the ids of their fields; all else is skipped."""
        if depth > limits.DEPTH:
            raise ValueError("a page header is nested too deep")
        found: dict[int, int] = {}
        field = 0
        while (head := self.byte()) != _STOP:
            kind, step = head & 0x0F, head >> 4
            field = field + step if step else self.integer()
            if kind in (_I16, _I32, _I64):
                found[field] = self.integer()
            elif kind not in (_TRUE, _FALSE):  # whose value is the kind
                self.skip(kind, depth)
        return found

    def places(self, wanted: int) -> list[int]:
        """Find where the structs begin that stand in the list ``wanted`` of this struct."""
        found: list[int] = []
        field = 0
        while (head := self.byte()) != _STOP:
            kind, step = head & 0x0F, head >> 4
            field = field + step if step else self.integer()
            if field == wanted and kind == _LIST:
                found = []
                inner, size = self.list_head()
                for _ in range(size):
                    found.append(self.at)
                    self.skip(inner, 0)
            elif kind not in (_TRUE, _FALSE):
                self.skip(kind, 0)
        return found

    def within(self, path: tuple[int, int]) -> list[dict[int, int]]:
        """The whole numbers of the struct ``path[1]`` in each struct of the list ``path[0]``."""
        found = []
        for at in self.places(path[0]):
            inner = _Reader(self.content, at)
            field, numbers = 0, dict[int, int]()
            while (head := inner.byte()) != _STOP:
                kind, step = head & 0x0F, head >> 4
                field = field + step if step else inner.integer()
                if field == path[1] and kind == _STRUCT:
                    numbers = inner.struct(1)
                elif kind not in (_TRUE, _FALSE):
                    inner.skip(kind, 0)
            found.append(numbers)
        return found

    def skip(self, kind: int, depth: int) -> None:
        if kind == _BYTE or kind in (_TRUE, _FALSE):
            self.byte()
        elif kind in (_I16, _I32, _I64):
            self.varint()
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            length = self.varint()
            self.at += length
        elif kind == _STRUCT:
            self.struct(depth + 1)
        elif kind in (_LIST, _SET):
            self.skip_list(depth)
        else:
            raise ValueError("a page header holds what none has")

    def skip_list(self, depth: int) -> None:
        kind, size = self.list_head()
        for _ in range(size):
            self.skip(kind, depth + 1)

    def list_head(self) -> tuple[int, int]:
        """The kind of a list's members, and how many there are."""
        head = self.byte()
        size = head >> 4 if head >> 4 != 15 else self.varint()
        if size > len(self.content):
            raise ValueError("a page header is cut short")
        return head & 0x0F, size
