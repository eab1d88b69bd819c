"""One of our Parquet files: when it is read, what its footer says is held against limits before anything is decoded.

A column of one long text that is repeated a million times takes a few hundred bytes on disk and gigabytes in memory.
So texts are read as Parquet keeps them, each different one once, and counted before they are laid out.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from results.store import limits
from results.store.pages import check_pages

_REPEATED = ["key", "number", "name", "unit"]  # columns of few values in many rows
_KEPT = (b"schema_version", b"pandas")  # of what a schema says of itself: a part that is read alone needs them
_ENCODINGS = {"step": "DELTA_BINARY_PACKED", "tokens": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"}


def read(
    content: bytes,
    schema: pa.Schema,
    most_rows: int,
    most_bytes: int = limits.DECODED_BYTES,
    needed: Collection[str] = (),
) -> pa.Table:
    """The rows of a file, in the columns of ``schema``; one that the file lacks is null, unless it is ``needed``.

    An ArrowException, OSError or ValueError for bytes that are no such file, and for more than the limits allow.
    """
    file = _open(content, [])
    said = file.schema_arrow  # made anew each time that it is asked for
    _check_footer(file, said, schema, most_rows)
    if lacking := [name for name in needed if name not in said.names]:
        raise ValueError(f"it has no column {lacking[0]!r}")
    size = check_pages(content, file.metadata, most_bytes)
    # A row takes no more than all pages do, so that few rows of small pages cannot be much.
    texts = [f.name for f in said if pa.types.is_string(f.type) or pa.types.is_dictionary(f.type)]
    large = size * file.metadata.num_rows > most_bytes
    table = (_open(content, texts) if large else file).read(use_threads=False)  # a file is too small for more than one
    if len(table) > most_rows:
        raise ValueError(f"it holds {len(table):,} rows but may hold at most {most_rows:,}")
    table.validate(full=True)  # text that is no UTF-8, offsets that point nowhere: an ArrowInvalid
    if large and (total := sum(_text_bytes(name, table[name]) for name in texts)) > most_bytes:
        raise ValueError(f"its texts take {total:,} bytes but may take at most {most_bytes:,}")
    if table.schema.equals(schema):
        return pa.Table.from_arrays(table.columns, schema=schema)  # its metadata are ours, not those that the file says
    columns = dict(zip(table.column_names, table.columns, strict=True))
    return pa.Table.from_arrays([_column(columns.get(f.name), f, len(table)) for f in schema], schema=schema)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as Python objects, null as None; times are UTC, for which ``to_pylist`` by itself would load pandas."""
    columns = [_cells(column.combine_chunks()) for column in table.columns]
    names = table.column_names
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _cells(column: Any) -> list[Any]:
    """The cells of a column: by ``to_pylist`` only where it must be, which makes an object of Arrow's of each first."""
    if column.null_count == len(column):
        return [None] * len(column)
    if pa.types.is_timestamp(column.type):
        times = column.cast(pa.timestamp("us")).to_pylist()
        return [None if time is None else time.replace(tzinfo=UTC) for time in times]
    if column.null_count or column.type not in (pa.float64(), pa.int64()):
        found: list[Any] = column.to_pylist()
        return found
    cells = memoryview(column.buffers()[1]).cast("B")[8 * column.offset : 8 * (column.offset + len(column))]
    return (cells.cast("d") if column.type == pa.float64() else cells.cast("q")).tolist()


def texts(found: Sequence[str | None]) -> pa.StringArray:
    """The texts as a column, for which ``pa.array`` would load pandas."""
    encoded = [(text or "").encode() for text in found]
    starts = array("i", accumulate(map(len, encoded), initial=0))
    valid = _bits([text is not None for text in found])
    parts = [pa.py_buffer(part) for part in (starts.tobytes(), b"".join(encoded), valid)]
    return pa.StringArray.from_buffers(len(found), parts[0], parts[1], parts[2])


def of_few_rows(table: pa.Table) -> bytes:
    """A file of the rows of a trial."""
    buffer = pa.BufferOutputStream()
    # Statistics and dictionaries cost more than they save in files of a few rows.
    pq.write_table(
        table, buffer, compression="zstd", use_dictionary=False, write_statistics=False, write_page_checksum=True
    )
    return buffer.getvalue().to_pybytes()


def of_many_rows(table: pa.Table) -> bytes:
    """A file of rows that repeat themselves, as those of a curve do; each column as it takes least room."""
    buffer = pa.BufferOutputStream()
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        use_dictionary=_REPEATED,  # type: ignore[arg-type]  # the stubs know no list
        column_encoding=_ENCODINGS,
        write_statistics=False,
        write_page_checksum=True,
    )
    return buffer.getvalue().to_pybytes()


def of_part(table: pa.Table, notes: Mapping[str, str]) -> bytes:
    """A file of the rows of many trials, with ``notes`` of its own and without the descriptions of its columns, which
    the empty part has: they take as much room as a hundred rows.
    """
    metadata: dict[bytes | str, bytes | str] = {}
    metadata.update({name: text for name, text in (table.schema.metadata or {}).items() if name in _KEPT})
    metadata.update(notes)
    schema = pa.schema([field.remove_metadata() for field in table.schema], metadata=metadata)
    return of_few_rows(pa.Table.from_arrays(table.columns, schema=schema))


def noted(content: bytes, name: str) -> str | None:
    """A note of :func:`of_part`; None where there is none."""
    found = (pq.read_metadata(pa.BufferReader(content)).metadata or {}).get(name.encode())
    return None if found is None else found.decode(errors="replace")


def column(cells: Sequence[Any], kind: pa.DataType) -> pa.Array[Any]:
    """Cells (numbers, texts, flags; times in microseconds) as a column, for which ``pa.array`` would load pandas.

    A TypeError, OverflowError or ValueError for one of another type.
    """
    if pa.types.is_string(kind):
        if any(not isinstance(cell, str | None) for cell in cells):
            raise TypeError("a text is none")
        return texts(cells)
    valid = _bits([cell is not None for cell in cells])
    if pa.types.is_boolean(kind):
        if any(not isinstance(cell, bool | None) for cell in cells):
            raise TypeError("a flag is neither true nor false")
        data = _bits([cell is True for cell in cells])
    else:
        data = array(
            "d" if pa.types.is_floating(kind) else "q", [0 if cell is None else cell for cell in cells]
        ).tobytes()
    return pa.Array.from_buffers(kind, len(cells), [pa.py_buffer(valid), pa.py_buffer(data)])


def _bits(flags: Sequence[bool]) -> bytes:
    found = bytearray((len(flags) + 7) // 8)
    for i, flag in enumerate(flags):
        found[i // 8] |= flag << i % 8
    return bytes(found)


def first_line(error: Exception) -> str:
    """Return the first line of a reader's error about bytes that are no such file, without where in its code."""
    return (str(error).splitlines() or [repr(error)])[0]


def _column(found: Any, field: pa.Field[Any], rows: int) -> Any:
    """A column that this code has and the one that wrote the file did not is null."""
    if found is None:
        return pa.nulls(rows, field.type)
    return found if found.type == field.type else found.cast(field.type)


def _open(content: bytes, as_dictionaries: list[str]) -> pq.ParquetFile:
    return pq.ParquetFile(
        pa.BufferReader(content),
        read_dictionary=as_dictionaries,
        page_checksum_verification=True,
        thrift_string_size_limit=limits.FILE_BYTES,
        thrift_container_size_limit=limits.ROW_GROUPS,
    )


def _check_footer(file: pq.ParquetFile, found: pa.Schema, schema: pa.Schema, most_rows: int) -> None:
    said = file.metadata
    if not found.equals(schema):  # written by another version of this code, or by nobody's
        types = dict(zip(schema.names, schema.types, strict=True))
        if len(set(found.names)) < len(found.names) or any(types.get(field.name) != field.type for field in found):
            raise ValueError("its columns are not those of this campaign")
    if said.num_rows > most_rows:
        raise ValueError(f"it holds {said.num_rows:,} rows but may hold at most {most_rows:,}")
    groups = [said.row_group(index) for index in range(said.num_row_groups)]
    if sum(group.num_rows for group in groups) != said.num_rows or any(group.num_rows < 0 for group in groups):
        raise ValueError("its footer contradicts itself: the rows of its parts are not those of the whole")


def _text_bytes(name: str, column: pa.ChunkedArray[Any]) -> int:
    """Sum the bytes of a column's texts, laid out one after the other."""
    total = 0
    chunks: list[Any] = column.chunks  # dictionary arrays, of which the stubs say nothing
    for chunk in chunks:
        lengths: Any = pc.binary_length(chunk.dictionary).cast(pa.int64())
        longest = max(lengths.to_pylist(), default=0) or 0
        if longest > limits.TEXT_BYTES:
            raise ValueError(f"{name} has a text of {longest:,} bytes but may have at most {limits.TEXT_BYTES:,}")
        total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return total
