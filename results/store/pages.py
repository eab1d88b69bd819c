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
_UNCOMPRESSED, _COMPRESSED = 2, 3  # ids of the fields


def check_pages(content: bytes, footer: pq.FileMetaData, most_bytes: int) -> int:
    """Sum the sizes that all pages claim to decompress to (bytes); a ValueError for more than ``most_bytes``."""
    total, pages = 0, 0
    for index in range(footer.num_row_groups):
        group = footer.row_group(index)
        for number in range(group.num_columns):
            column = group.column(number)
            starts = [column.data_page_offset]
            if column.has_dictionary_page:
                starts.append(column.dictionary_page_offset or 0)
            if group.num_rows == 0 and content.startswith(_MAGIC):
                starts = [start for start in starts if start > 0] or [len(_MAGIC)]  # at 0, where no page is: none
            at, end = min(starts), min(starts) + column.total_compressed_size
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
        if self.at >= len(self.content):
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
        head = self.byte()
        size = head >> 4 if head >> 4 != 15 else self.varint()
        if size > len(self.content):
            raise ValueError("a page header is cut short")
        for _ in range(size):
            self.skip(head & 0x0F, depth + 1)
