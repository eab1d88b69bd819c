"""The Parquet files of a campaign's data sets as tables: each read once, held against limits, and its rows looked at.

Trials and reports lie in parts, by the trial's number; a campaign of an earlier version has a file a trial, as curves
have. A trial that is in a part and in a file of its own is the part's: a resume that brings an old campaign into parts
was killed before it removed that file. To the parts comes what only the log has yet (row_log.py).

Rows of many files are looked at together, since to look at a column of a thousand rows takes as long as at one of ten.
Where they cannot all be right, each file is looked at alone, to name those that are not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from storage import files
from storage.location import Location

from results.store import limits, parquet, row_kinds, row_places
from results.store.consistency import numbers_of
from results.store.curves import check_curve
from results.store.kept_parts import FileRead, KeptParts
from results.store.names import EMPTY, TRIALS_A_PART, part_name, part_number
from results.store.row_changes import RowChange, applied, keys_of, without
from results.store.row_form import RowForm
from results.store.row_kinds import COMPACTED, RowKind
from results.store.row_log import ROW_LOG, Logged, RowLog
from results.store.schema import schemas
from results.store.validate import check_rows, needed

AT_ONCE = 500  # files whose rows are looked at together, unless they hold more than
BYTES_AT_ONCE = 16 * limits.MIB
MOST_DIGITS = 18
THROUGH = "rows_through"  # the note of a part: the last change that it has
_REFUSED = (pa.ArrowException, OSError, ValueError)


class RowFiles:
    """The files of the data sets of one campaign, whose ``campaign.json`` says what rows they may have."""

    def __init__(self, folder: Location, campaign: Mapping[str, Any]) -> None:
        self.folder = folder
        self.schemas = schemas(campaign["knobs"])
        self.forms = {dataset: RowForm(self.schemas[dataset], dataset) for dataset in COMPACTED}
        self.log = RowLog(folder, self.schemas)
        self.through: dict[tuple[RowKind, int], int] = {}  # the last change that each part had when it was read
        self.misnamed: set[str] = set()  # trials whose rows were written under another name of the folder
        self.compacted = bool(campaign.get("compacted"))
        self._objective: str | None = campaign.get("objective")
        self._logged = Logged()  # when it was last read
        self._kept: KeptParts | None = None  # parts that were read, while they are kept

    def keys(self, dataset: RowKind) -> list[str]:
        """The names of a data set's files, without their ending."""
        names = [] if self.compacted and dataset not in COMPACTED else files.names(self.folder / dataset)
        return [name.removesuffix(".parquet") for name in names if name.endswith(".parquet")]

    def of_one_trial(self, dataset: RowKind) -> list[str]:
        """The names of those files of trials or reports that an earlier version wrote: the keys of their trials."""
        return [key for key in self.keys(dataset) if key != EMPTY and part_number(key) is None]

    def rows(self, dataset: RowKind) -> pa.Table:
        """All trials or all reports as of now. A ValueError as of :meth:`all`, and for a log that cannot be read."""
        empty = pa.Table.from_batches([], self.schemas[dataset])
        if self.compacted:
            return pa.concat_tables([empty, *(found for _, found in self.all(dataset))]).combine_chunks()
        return self._while_files_go(dataset, lambda: self._rows_now(dataset))

    def _while_files_go(self, dataset: RowKind, read: Callable[[], pa.Table]) -> pa.Table:
        """Read again where files of one trial each have gone into parts meanwhile: a resume converts the campaign."""
        while True:
            before = set(self.of_one_trial(dataset))
            try:
                return read()
            except ValueError:
                if before <= set(self.of_one_trial(dataset)):
                    raise

    def _rows_now(self, dataset: RowKind) -> pa.Table:
        changes = self._all_changes(dataset)  # before the parts: see row_log.py
        found = list(self.all(dataset))
        self._refuse_lacking(self.lacking(dataset, [name for name, _ in found]))
        return self.with_changes(dataset, found, changes)

    def _refuse_lacking(self, lacking: Mapping[int | None, str]) -> None:
        if lacking:
            raise ValueError(f"{'; '.join(lacking.values())}; a resume goes on without")

    def lacking(
        self, dataset: RowKind, names: Collection[str], parts: Collection[int] | None = None
    ) -> dict[int | None, str]:
        """Say what is gone of a data set that has the files ``names`` and was just read, by its part; None is the log.
        Of ``parts`` alone, where only those were looked for.

        Empty where nothing is, and where it cannot be known: of an earlier version, which kept no log there.
        """
        if self.compacted:
            return {}
        found: dict[int | None, str] = {}
        for (of, part), at in sorted(self._logged.parts.items()):
            if of != dataset or (parts is not None and part not in parts):
                continue
            if part_name(part) not in names:
                found[part] = f"{self.path(dataset, part_name(part))} is not there"
            elif self.through.get((dataset, part), at) < at:
                found[part] = f"{self.path(dataset, part_name(part))} is of an earlier moment than {ROW_LOG}"
        through = max((self.through.get((dataset, part_number(name) or 0), 0) for name in names), default=0)
        if through >= self._logged.next_at and not self.log.damaged:
            now = self.log.read()  # it may have begun anew since
            if through >= now.next_at and not now.damaged:
                what = "is of an earlier moment than the parts" if files.exists(self.log.path) else "is not there"
                found[None] = f"{self.log.path} {what}"
        return found

    def of_trial(self, dataset: RowKind, key: str, number: int | None) -> pa.Table:
        """The rows of one trial, as of now; where its number is known, no file is read that cannot have them.

        A ValueError as of :meth:`rows`.
        """
        if self.compacted or number is None:
            whole = self.rows(dataset)
        else:
            whole = self._while_files_go(dataset, lambda: self._of_trial_now(dataset, key, number))
        return without(whole, set(keys_of(whole)) - {key})

    def _of_trial_now(self, dataset: RowKind, key: str, number: int) -> pa.Table:
        changes = [change for change in self._all_changes(dataset) if change.key == key]
        part = number // TRIALS_A_PART
        there = [name for name in (key, part_name(part)) if files.is_file(self.path(dataset, name))]
        found = list(self.all(dataset, there))
        self._refuse_lacking(self.lacking(dataset, there, [part]))
        return self.with_changes(dataset, found, changes)

    def readable(self, dataset: RowKind) -> pa.Table:
        """The rows that are not damaged, as of now: those that a resume goes on with. An OSError as of
        :meth:`logged`.
        """
        changes = self.changes(dataset)
        found: list[tuple[str, pa.Table]] = []
        for name, rows in self.each(dataset, reachable=True):
            if isinstance(rows, ValueError):
                self.forget(dataset, name)
            else:
                found.append((name, rows))
        return self.with_changes(dataset, found, changes)

    def _all_changes(self, dataset: RowKind) -> list[RowChange]:
        try:
            changes = self.changes(dataset)
        except OSError as error:  # of an object store
            raise ValueError(f"{self.log.path} cannot be read: {parquet.first_line(error)}") from error
        if self.log.damaged:
            raise ValueError(f"{self.log.path} cannot be read: {self.log.damaged}{self.a_resume_helps('it')}")
        return changes

    def a_resume_helps(self, what: str) -> str:
        """Say what is done about a damaged file; nothing where nothing is: a compacted campaign is not resumed."""
        return "" if self.compacted else f"; a resume sets {what} aside"

    def with_changes(
        self, dataset: RowKind, found: Sequence[tuple[str, pa.Table]], changes: Sequence[RowChange]
    ) -> pa.Table:
        """The rows of the files ``found``, and what they are with ``changes``."""
        parts = [table for name, table in found if part_number(name) is not None]
        kept = {key for table in parts for key in keys_of(table)}
        alone = [table for name, table in found if part_number(name) is None and name not in kept]
        whole = pa.concat_tables([pa.Table.from_batches([], self.schemas[dataset]), *parts, *alone]).combine_chunks()
        new = [change for change in changes if change.at > self.through.get((dataset, change.part), 0)]
        return applied(whole, dataset, new)

    def changes(self, dataset: RowKind) -> list[RowChange]:
        """Read what the log has of a data set. ``log.damaged`` says what some of it could not be read for."""
        found = [change for change in self.logged().changes if change.dataset == dataset]
        if dataset == "trials":
            return [replace(change, rows=self._here(change.rows)) for change in found]
        return found

    def logged(self) -> Logged:
        """Read what the log has, as it lies there, without what no reader would take.

        An OSError where an object store does not hand it out.
        """
        logged = self.log.read()
        right: list[RowChange] = []
        for dataset in COMPACTED:
            found = [change for change in logged.changes if change.dataset == dataset]
            try:
                self._check_changes(dataset, found)
                right += found
            except _REFUSED:
                for change in found:
                    try:
                        self._check_changes(dataset, [change])
                        right.append(change)
                    except _REFUSED as error:
                        logged.damaged = logged.damaged or parquet.first_line(error)
        logged.changes = sorted(right, key=lambda change: change.at)
        self.log.damaged = logged.damaged
        self._logged = logged
        torn = logged.torn if not logged.cut else 0
        self.log.torn = f"ends in {torn:,} bytes that are no record" if torn else ""
        return logged

    def _check_changes(self, dataset: RowKind, changes: Sequence[RowChange]) -> None:
        if rows := [change.rows for change in changes if len(change.rows)]:
            check_rows(pa.concat_tables(rows).combine_chunks(), dataset, None, self._objective)
        if dataset == "trials" and any(set(numbers_of(c.rows).values()) - {c.number} for c in changes):
            raise ValueError("the number of a change is not that of its trial")

    def as_written(self, dataset: RowKind, name: str) -> tuple[pa.Table, int] | None:
        """The rows of a file as they lie in it, and the last change that it has; None of a file that is not there.

        A ValueError that names a file that cannot be read.
        """
        try:
            content = files.read(self.path(dataset, name), self._most_bytes(name))
        except FileNotFoundError:
            return None
        try:
            table = self._table(dataset, name, content)
        except _REFUSED as error:
            raise self._said(dataset, name, error) from None
        return table, self.through.get((dataset, part), 0) if (part := part_number(name)) is not None else 0

    def forget(self, dataset: RowKind, name: str) -> None:
        """Count on nothing of a file that cannot be read: the log may have what was in it."""
        if (part := part_number(name)) is not None:
            self.through.pop((dataset, part), None)

    def path(self, dataset: RowKind, key: str) -> Location:
        """The place of a file."""
        return self.folder / dataset / f"{key}.parquet"

    def read(self, dataset: RowKind, key: str) -> pa.Table:
        """The rows of one file. A ValueError that names it where it cannot be read."""
        ((_, found),) = self._looked_at(dataset, self._decoded(dataset, [key]))
        if isinstance(found, ValueError):
            raise found
        return found

    def each(self, dataset: RowKind, names: Sequence[str] | None = None, reachable: bool = False) -> Iterator[FileRead]:
        """Each file of a dataset, or those of ``names``, by its name: its rows, or why it cannot be read.

        With ``reachable`` an OSError for an object that a store does not hand out: that says nothing of the object.
        """
        names = self.keys(dataset) if names is None else names
        if self._kept is None or dataset == "curves":
            return self._looked_at(dataset, self._decoded(dataset, names, reachable))
        paths = {name: self.path(dataset, name) for name in names}
        return self._kept.each(
            dataset, paths, lambda anew: self._looked_at(dataset, self._decoded(dataset, anew, reachable))
        )

    def keep_parts(self) -> None:
        """Keep each part that is read from now on, and read it again only once it is another file.

        A resume reads all rows three times: to set aside what is damaged, for the book, and for what is written.
        """
        self._kept = KeptParts(self.through) if isinstance(self.folder, Path) else None

    def let_parts_go(self) -> None:
        """Keep no parts any more: that was for the time of a resume's beginning, and takes their room."""
        self._kept = None

    def all(self, dataset: RowKind, names: Sequence[str] | None = None) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each file of a dataset, or of those of ``names``, by its name. A ValueError for more than its
        limits, and one that names every file that cannot be read, once all were looked at.
        """
        errors: list[str] = []
        is_damage = True  # an object that a store does not hand out may be whole
        rows, size = 0, 0
        for key, found in self.each(dataset, names):
            if isinstance(found, ValueError):
                errors.append(str(found))
                is_damage = is_damage and (isinstance(self.folder, Path) or not isinstance(found.__cause__, OSError))
                continue
            rows, size = rows + len(found), size + found.nbytes
            if rows > row_kinds.MOST_ROWS[dataset] or size > row_kinds.MOST_BYTES[dataset]:
                most = f"{row_kinds.MOST_ROWS[dataset]:,} rows or {row_kinds.MOST_BYTES[dataset]:,} bytes of them"
                raise ValueError(f"{self.folder / dataset} cannot be read: it holds over {most}")
            yield key, found
        if errors:
            helped = self.a_resume_helps("it" if len(errors) == 1 else "them") if is_damage else ""
            raise ValueError("; ".join(errors) + helped)

    def _decoded(self, dataset: RowKind, keys: Sequence[str], reachable: bool = False) -> Iterator[FileRead]:
        """Each file as a table whose rows have not been looked at."""
        most = [self._most_bytes(key) for key in keys]
        contents = files.read_all([self.path(dataset, key) for key in keys], most)
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
        most = 0 if key == EMPTY else row_kinds.most_rows(dataset, of_one_trial=self._is_alone(key))
        table = parquet.read(content, self.schemas[dataset], most, needed=needed(dataset))
        if (part := part_number(key)) is not None and not self.compacted:
            self.through[dataset, part] = _whole_number(parquet.noted(content, THROUGH))
        if most and not len(table) and self._is_alone(key):
            raise ValueError("it holds no row")
        return table

    def _most_bytes(self, name: str) -> int:
        return limits.FILE_BYTES if self._is_alone(name) else limits.PART_BYTES

    def _is_alone(self, name: str) -> bool:
        """Tell whether a file holds the rows of one trial."""
        return not self.compacted and part_number(name) is None

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
        for key, table in tables:
            if self._is_alone(key) and set(table["key"].to_pylist()) - {key}:
                return False
        try:
            check_rows(whole, dataset, None, self._objective)
        except ValueError:
            return False
        return True

    def _whole(self, dataset: RowKind, key: str, table: pa.Table, is_right: bool) -> pa.Table:
        """The rows of a file as this campaign has them. A ValueError where they cannot be those of a campaign."""
        one = key if self._is_alone(key) else None
        if dataset == "curves":
            check_curve(table, one)
        elif not is_right:
            check_rows(table, dataset, one, self._objective)
        if dataset != "trials":
            return table
        part = None if self.compacted else part_number(key)
        if part is not None and any(number // TRIALS_A_PART != part for number in numbers_of(table).values()):
            raise ValueError("it holds trials whose numbers are of another part")
        return self._here(table)

    def _here(self, trials: pa.Table) -> pa.Table:
        """The rows with paths and the campaign's name as they are here."""
        return row_places.whole(self.folder, self._named(trials))

    def _said(self, dataset: RowKind, key: str, error: Exception) -> ValueError:
        said = ValueError(f"{self.path(dataset, key)} cannot be read: {parquet.first_line(error)}")
        said.__cause__ = error
        return said

    def _named(self, trials: pa.Table) -> pa.Table:
        """The rows under the name of the folder that they are in, which may be a copy or have another name by now."""
        at, was = trials.schema.get_field_index("campaign"), trials["campaign"]
        if {*was.unique().to_pylist(), None} <= {self.folder.name, None}:
            return trials
        known = (self.folder.name, None)
        keys = keys_of(trials)
        self.misnamed |= {key for key, name in zip(keys, was.to_pylist(), strict=True) if name not in known}
        named = [None if name is None else self.folder.name for name in was.to_pylist()]
        return trials.set_column(at, trials.schema.field(at), parquet.texts(named))


def _whole_number(text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > MOST_DIGITS:
        raise ValueError(f"its note {THROUGH} is {text!r} but must be a whole number")
    return int(text)
