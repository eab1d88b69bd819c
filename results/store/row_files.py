"""The Parquet files of a campaign's data sets as tables: each read once, held against limits, and its rows looked at.

Rows of many files are looked at together, since to look at a column of a thousand rows takes as long as at one of ten.
Where they cannot all be right, each file is looked at alone, to name those that are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from storage import files
from storage.location import Location

from results.store import limits, parquet, row_kinds, row_places
from results.store.curves import check_curve
from results.store.names import EMPTY
from results.store.row_kinds import COMPACTED, RowKind
from results.store.schema import schemas
from results.store.validate import check_rows, needed

FileRead = tuple[str, pa.Table | ValueError]  # the key of a file, and its rows or why it cannot be read

AT_ONCE = 500  # files whose rows are looked at together, unless they hold more than
BYTES_AT_ONCE = 16 * limits.MIB
_REFUSED = (pa.ArrowException, OSError, ValueError)


class RowFiles:
    """The files of the data sets of one campaign, whose ``campaign.json`` says what rows they may have."""

    def __init__(self, folder: Location, campaign: Mapping[str, Any]) -> None:
        self.folder = folder
        self.schemas = schemas(campaign["knobs"])
        self.misnamed: set[str] = set()  # trials whose rows were written under another name of the folder
        self.compacted = bool(campaign.get("compacted"))
        self._objective: str | None = campaign.get("objective")

    def keys(self, dataset: RowKind) -> list[str]:
        """The names of a data set's files, without their ending."""
        names = [] if self.compacted and dataset not in COMPACTED else files.names(self.folder / dataset)
        return [name.removesuffix(".parquet") for name in names if name.endswith(".parquet")]

    def path(self, dataset: RowKind, key: str) -> Location:
        """The place of a file."""
        return self.folder / dataset / f"{key}.parquet"

    def read(self, dataset: RowKind, key: str) -> pa.Table:
        """The rows of one file. A ValueError that names it where it cannot be read."""
        ((_, found),) = self._looked_at(dataset, self._decoded(dataset, [key]))
        if isinstance(found, ValueError):
            raise found
        return found

    def each(self, dataset: RowKind, reachable: bool = False) -> Iterator[FileRead]:
        """Each file of a dataset by its key: its rows, or why it cannot be read.

        With ``reachable`` an OSError for an object that a store does not hand out: that says nothing of the object.
        """
        return self._looked_at(dataset, self._decoded(dataset, self.keys(dataset), reachable))

    def all(self, dataset: RowKind) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each file of a dataset by its key. A ValueError for more than its limits, and one that names
        every file that cannot be read, once all were looked at.
        """
        errors: list[str] = []
        rows, size = 0, 0
        for key, found in self.each(dataset):
            if isinstance(found, ValueError):
                errors.append(str(found))
                continue
            rows, size = rows + len(found), size + found.nbytes
            if rows > row_kinds.MOST_ROWS[dataset] or size > row_kinds.MOST_BYTES[dataset]:
                most = f"{row_kinds.MOST_ROWS[dataset]:,} rows or {row_kinds.MOST_BYTES[dataset]:,} bytes of them"
                raise ValueError(f"{self.folder / dataset} cannot be read: it holds over {most}")
            yield key, found
        if errors:
            raise ValueError("; ".join(errors))

    def _decoded(self, dataset: RowKind, keys: Sequence[str], reachable: bool = False) -> Iterator[FileRead]:
        """Each file as a table whose rows have not been looked at."""
        contents = files.read_all([self.path(dataset, key) for key in keys], limits.FILE_BYTES)
        for key, content in zip(keys, contents, strict=True):
            if reachable and not isinstance(self.folder, Path) and files.is_unreachable(content):
                raise content
            try:
                table = self._table(dataset, key, content)
            except _REFUSED as error:
                yield key, self._said(dataset, key, error)
            else:
                yield key, table

    def _table(self, dataset: RowKind, key: str, content: bytes | OSError) -> pa.Table:
        if isinstance(content, OSError):
            raise content
        most = 0 if key == EMPTY else row_kinds.most_rows(dataset, of_one_trial=not self.compacted)
        table = parquet.read(content, self.schemas[dataset], most, needed=needed(dataset))
        if most and not len(table) and not self.compacted:
            raise ValueError("it holds no row")
        return table

    def _looked_at(self, dataset: RowKind, decoded: Iterable[FileRead]) -> Iterator[FileRead]:
        """The same files, in which rows that cannot be those of a campaign are a reason not to read them."""
        block: list[FileRead] = []
        size = 0
        most = 1 if dataset == "curves" else AT_ONCE  # a curve is looked at by itself
        for key, found in decoded:
            block.append((key, found))
            size += 0 if isinstance(found, ValueError) else found.nbytes
            if len(block) >= most or size > BYTES_AT_ONCE:
                yield from self._block(dataset, block)
                block, size = [], 0
        yield from self._block(dataset, block)

    def _block(self, dataset: RowKind, block: list[FileRead]) -> Iterator[FileRead]:
        tables = [(key, found) for key, found in block if not isinstance(found, ValueError)]
        together = len(tables) > 1 and self._are_right(dataset, tables)
        for key, found in block:
            if isinstance(found, ValueError):
                yield key, found
                continue
            try:
                whole = self._whole(dataset, key, found, together)
            except _REFUSED as error:
                yield key, self._said(dataset, key, error)
            else:
                yield key, whole

    def _are_right(self, dataset: RowKind, tables: Sequence[tuple[str, pa.Table]]) -> bool:
        """Tell whether nothing is wrong with the rows of any of these files."""
        whole = pa.concat_tables([table for _, table in tables]).combine_chunks()
        keys = [key for key, table in tables for _ in range(len(table))]
        if not self.compacted and whole["key"].to_pylist() != keys:
            return False
        try:
            check_rows(whole, dataset, None, self._objective)
        except ValueError:
            return False
        return True

    def _whole(self, dataset: RowKind, key: str, table: pa.Table, is_right: bool) -> pa.Table:
        """The rows of a file as this campaign has them. A ValueError where they cannot be those of a campaign."""
        one = None if self.compacted else key
        if dataset == "curves":
            check_curve(table, one)
        elif not is_right:
            check_rows(table, dataset, one, self._objective)
        return row_places.whole(self.folder, self._named(key, table)) if dataset == "trials" else table

    def _said(self, dataset: RowKind, key: str, error: Exception) -> ValueError:
        return ValueError(f"{self.path(dataset, key)} cannot be read: {parquet.first_line(error)}")

    def _named(self, key: str, trials: pa.Table) -> pa.Table:
        """The rows under the name of the folder that they are in, which may be a copy or have another name by now."""
        at, was = trials.schema.get_field_index("campaign"), trials["campaign"]
        if {*was.unique().to_pylist(), None} <= {self.folder.name, None}:
            return trials
        self.misnamed.add(key)
        named = [None if name is None else self.folder.name for name in was.to_pylist()]
        return trials.set_column(at, trials.schema.field(at), parquet.texts(named))
