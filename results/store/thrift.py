"""Thrift's compact protocol, as much of it as reads whole numbers of a struct and skips what is not asked for.

Parquet's footer and page headers are written in it (parquet.thrift). No library that we have reads them alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from results.store import limits

_STOP, TRUE, FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, THRIFT_LIST, _SET, _MAP, THRIFT_STRUCT = range(13)
INTEGERS = (_I16, _I32, _I64)


class Reader:
    """Reads on from a place in some bytes. A ValueError for bytes that cannot be Thrift."""

    def __init__(self, content: bytes, at: int) -> None:
        self.content, self.at = content, at

    def number(self) -> int:
        """A whole number, as a field or a member of a list has it: a varint in zigzag form."""
        found = self._varint()
        return (found >> 1) ^ -(found & 1)

    def fields(self) -> Iterator[tuple[int, int]]:
        """The id and kind of each field of a struct, whose value is to be read or skipped before the next.

        Those that are true or false are left out: their kind is their value.
        """
        field = 0
        while (head := self._byte()) != _STOP:
            kind, step = head & 0x0F, head >> 4
            field = field + step if step else self._field_id()
            if kind not in (TRUE, FALSE):
                yield field, kind

    def struct(self, depth: int) -> dict[int, int]:
        """The whole numbers of a struct by the ids of their fields; all else is skipped."""
        if depth > limits.DEPTH:
            raise ValueError("a page header is nested too deep")
        found: dict[int, int] = {}
        for field, kind in self.fields():
            if kind in INTEGERS:
                found[field] = self.number()
            else:
                self.skip(kind, depth)
        return found

    def structs(self) -> Iterator[None]:
        """Go through a list of structs, each of which is to be read before the next."""
        kind, size = self._list_head()
        if size and kind != THRIFT_STRUCT:
            raise ValueError("its footer holds a list of what is no part of it")
        for _ in range(size):
            yield

    def skip(self, kind: int, depth: int) -> None:
        """Read over a value; one that is true or false is a member of a list here."""
        if kind == _BYTE or kind in (TRUE, FALSE):
            self._byte()
        elif kind in INTEGERS:
            self.number()
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            self.text()
        elif kind == THRIFT_STRUCT:
            self.struct(depth + 1)
        elif kind in (THRIFT_LIST, _SET):
            inner, size = self._list_head()
            for _ in range(size):
                self.skip(inner, depth + 1)
        else:
            raise ValueError("a page header holds what none has")

    def text(self) -> None:
        """Read over a text, or any bytes that say first how many they are."""
        length = self._varint()
        self.at += length

    def skip_described(self, kind: int) -> None:
        """Read over a value that is the same in all files of one kind, as their schema is."""
        self.skip(kind, 0)

    def _byte(self) -> int:
        if not 0 <= self.at < len(self.content):
            raise ValueError("a page header is cut short")
        self.at += 1
        return self.content[self.at - 1]

    def _varint(self) -> int:
        found, shift = 0, 0
        while shift < 70:
            part = self._byte()
            found |= (part & 0x7F) << shift
            if part < 0x80:
                return found
            shift += 7
        raise ValueError("a page header holds a number without end")

    def _field_id(self) -> int:
        found = self._varint()
        return (found >> 1) ^ -(found & 1)

    def _list_head(self) -> tuple[int, int]:
        """The kind of a list's members, and how many there are."""
        head = self._byte()
        size = head >> 4 if head >> 4 != 15 else self._varint()
        if size > len(self.content):
            raise ValueError("a page header is cut short")
        return head & 0x0F, size
