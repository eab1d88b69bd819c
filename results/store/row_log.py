"""The log of a campaign's changes: rows that are durable and not yet in the parts that others read.

A part holds hundreds of trials and is replaced whole, which takes some 30 ms: too long for each report of a trial of a
second. So a change is first appended here, a line with its checksum, and the parts are brought up to it about once a
second (row_writer.py). Each change has a number of its own, and each part says up to which it has them: to apply a log
twice changes nothing, whatever moment a kill -9 chose.

A reader reads the log first and the parts after it. A change that it does not find in the log then is in a part. A log
says at its beginning which parts there are and up to which change: one that is gone since, or from an earlier moment (a
campaign copied while it ran), is told of, and so is a log that ends before its parts do.

In an object store nothing can be appended: there the log has that beginning alone, written anew after each new part,
unless the campaign came from a disk.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from storage import files, inside
from storage.location import Location

from results.store import limits, parquet
from results.store.cells import microseconds
from results.store.names import is_name
from results.store.row_changes import RowChange
from results.store.row_kinds import COMPACTED, RowKind

ROW_LOG = "rows.log"
_MOST = 10**17
_REFUSED = (ValueError, TypeError, OverflowError, KeyError, AttributeError, RecursionError)


@dataclass
class Logged:
    """Content of a log."""

    changes: list[RowChange] = field(default_factory=list)
    next_at: int = 1  # the number of the next change
    parts: dict[tuple[RowKind, int], int] = field(default_factory=dict)  # the last change that each had, or a later one
    torn: int = 0  # bytes at its end that are no whole record
    cut: bool = (
        False  # only their end is lacking: that record is being written, or its writer was killed before it told
    )
    damaged: str = ""  # what is wrong with it otherwise


class RowLog:
    """The file of one campaign."""

    def __init__(self, folder: Location, schemas: Mapping[str, pa.Schema]) -> None:
        self.folder = folder
        self.torn = ""  # what is said of a last record that is damaged
        self.damaged = ""  # what its rows could not be read for, when they were looked at (row_files.py)
        self._schemas = schemas
        self._waits = False  # something was appended that is not durable yet

    @property
    def path(self) -> Location:
        return self.folder / ROW_LOG

    def identity(self) -> tuple[int, int, int] | None:
        """Tell this content of the file from any other: another process, or another store here, may have written it."""
        assert isinstance(self.folder, Path)
        try:
            found = self.path.stat()  # type: ignore[union-attr]
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def read(self) -> Logged:
        """All changes in it, in order; those of records that are whole. Empty where there is no log.

        An OSError where an object store does not hand it out: that says nothing of it.
        """
        try:
            content = files.read(self.path, limits.FILE_BYTES)
        except FileNotFoundError:
            return Logged()
        except OSError as error:
            if not isinstance(self.folder, Path) and files.is_unreachable(error):
                raise
            return Logged(damaged=parquet.first_line(error))
        *lines, rest = content.split(b"\n")
        found = Logged(torn=len(rest), cut=True)
        records: list[dict[str, Any]] = []
        for number, line in enumerate(lines, 1):
            record = _record(line)
            if record is None and number == len(lines):
                found.torn, found.cut = found.torn + len(line) + 1, False
            elif record is None:
                found.damaged = found.damaged or f"record {number} of {len(lines)} is damaged"
            elif _is_place(record.get("next")):
                found.next_at = max(found.next_at, record["next"])
                try:
                    found.parts = {(of, part): at for of, part, at in record.get("parts", ()) if _is_part(of, part, at)}
                except _REFUSED:
                    found.damaged = found.damaged or f"record {number} of {len(lines)} is damaged"
            else:
                records.append(record)
        self._decode(records, found)
        return found

    def append(self, lines: bytes, durable: bool) -> None:
        """Add the :meth:`lines` of changes; what is not ``durable`` is so with the next that is, or by :meth:`sync`."""
        assert isinstance(self.folder, Path)
        inside.append(self.folder, ROW_LOG, lines, durable=durable)
        self._waits = not durable

    def sync(self) -> None:
        """Make all that this object has appended durable."""
        if self._waits:
            inside.sync(self.folder, ROW_LOG)
            self._waits = False

    @staticmethod
    def lines(changes: Sequence[RowChange]) -> bytes:
        """Return what is appended for changes. Their rows must be such that can be read (validate.py)."""
        return b"".join(_line(_written(change)) for change in changes)

    def restart(self, next_at: int, parts: Mapping[tuple[RowKind, int], int]) -> None:
        """Begin it anew, empty: all its changes are durable in ``parts``, which have those up to a number each."""
        said = [[of, part, at] for (of, part), at in sorted(parts.items())]
        inside.write(self.folder, ROW_LOG, _line({"next": next_at, "parts": said}))
        self._waits = False
        if isinstance(self.folder, Path):
            # Else what is appended could be in a file that a power cut leaves no name.
            inside.sync_names(self.folder, "")

    def _decode(self, records: Sequence[dict[str, Any]], found: Logged) -> None:
        try:
            found.changes = sorted(self._changes(records), key=lambda change: change.at)
        except _REFUSED:  # one of them at least: those that are right are kept
            for record in records:
                try:
                    found.changes += self._changes([record])
                except _REFUSED as error:
                    found.damaged = found.damaged or f"it holds what is no change of a row: {error}"
            found.changes.sort(key=lambda change: change.at)
        found.next_at = max([found.next_at, *(change.at + 1 for change in found.changes)])

    def _changes(self, records: Sequence[dict[str, Any]]) -> Iterator[RowChange]:
        for dataset in COMPACTED:
            ours = [record for record in records if record["of"] == dataset]
            rows = [row for record in ours for row in record["rows"]]
            schema = self._schemas[dataset]
            names = set(schema.names)
            if unknown := next((name for row in rows for name in row if name not in names), None):
                raise ValueError(f"it has a column {unknown!r}, which is not of this campaign")
            columns = [parquet.column([row.get(f.name) for row in rows], f.type) for f in schema]
            table, at = pa.Table.from_arrays(columns, schema=schema), 0
            for record in ours:
                size, key = len(record["rows"]), record["key"]
                if not is_name(key) or any(row["key"] != key for row in record["rows"]):
                    raise ValueError("the rows of a change are of another trial")
                if not _is_place(record["at"]) or not _is_place(record["number"]):
                    raise ValueError("a change has no number")
                yield RowChange(
                    record["at"], dataset, key, record["number"], table.slice(at, size), record["adds"] is True
                )
                at += size
        if any(record["of"] not in COMPACTED for record in records):
            raise ValueError("a change is of no data set")


def _is_place(number: Any) -> bool:
    """Tell whether this can be a place among the changes, or the number of a trial."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < _MOST


def _is_part(of: Any, part: Any, at: Any) -> bool:
    if of not in COMPACTED or not _is_place(part) or not _is_place(at):
        raise ValueError("it names a part that cannot be")
    return True


def _written(change: RowChange) -> dict[str, Any]:
    rows = [
        {
            name: microseconds(cell) if isinstance(cell, datetime) else cell
            for name, cell in row.items()
            if cell is not None
        }
        for row in (parquet.rows(change.rows) if change.cells is None else change.cells)
    ]
    return {
        "at": change.at, "of": change.dataset, "key": change.key, "number": change.number, "adds": change.adds,
        "rows": rows,
    }  # fmt: skip


def _line(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _record(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None where it is not as it was written."""
    said, space, text = line[:8], line[8:9], line[9:]
    if space != b" " or said != b"%08x" % zlib.crc32(text):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
