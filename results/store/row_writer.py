"""The one writer of a campaign's trials and reports: each change into the log at once, now and then into parts.

Every trial belongs to one part, by its number, and a part is replaced whole: so whoever reads the folder finds one row
a trial at every moment. To bring the parts up to the log is the same after a kill -9 as before it: the log is read,
each part that it changes is read, changed and replaced, and only then the log begins anew.

In an object store nothing can be appended: there each change replaces its part at once, and the log only says which
parts there are, so that one that is gone is missed.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from storage import inside
from storage.location import Location

from results.store import limits, parquet, row_kinds
from results.store.consistency import numbers_of
from results.store.names import TRIALS_A_PART, part_name, part_number
from results.store.row_changes import RowChange, applied, by_number, keys_of, without
from results.store.row_files import THROUGH, RowFiles
from results.store.row_kinds import COMPACTED, RowKind

SETTLE_SECONDS = 1.0  # how old the parts may be
SHARE = 0.05  # of the time, at most, that goes into them
MOST_CHANGES = 1_000  # in the log
MOST_LOG_BYTES = limits.FILE_BYTES // 4


class FullError(ValueError):
    """Rows beyond what a reader takes of a campaign."""


@dataclass
class RowsKnown:
    """Knowledge of the campaign's rows, right as long as nobody else writes them."""

    numbers: dict[str, int]  # of the trials by key
    reported: set[str]  # keys of the trials with reports
    next_at: int
    in_log: int  # changes
    rows: dict[RowKind, int]  # at most: what was replaced is counted until it is counted anew
    sizes: dict[RowKind, int]  # bytes, decoded, at most


class RowWriter:
    """Writes the rows of one campaign."""

    def __init__(self, rows: RowFiles) -> None:
        self.folder: Location = rows.folder
        self._rows = rows
        self._known: RowsKnown | None = None
        self._left_as: tuple[int, int, int] | None = None  # the log, as this writer left it
        self._settled_at = -1e9  # monotonic seconds
        self._pause = 0.0  # seconds until it may be done again
        self._in_record: dict[tuple[RowKind, int], int] = {}  # the parts that the log says there are
        self._told_of: Sequence[RowChange] = ()  # durable, though who wrote them was told of an error
        self.before_write: Callable[[], None] = lambda: None

    @property
    def _appends(self) -> bool:
        return isinstance(self.folder, Path)

    def write(
        self,
        dataset: RowKind,
        tables: Sequence[tuple[str, pa.Table]],
        adds: bool = False,
        durable: bool = True,
        cells: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        """Store the rows of trials by their key, in place of those they have or, with ``adds``, behind them.

        What is not ``durable`` is so with the next change that is, or once the parts are brought up to the log.
        ``cells`` are the rows of a single table as Python objects, where they are at hand.

        A ValueError for a trial that would get another number, a FullError for more than a reader takes.
        """
        known = self._up_to_date()
        assert cells is None or len(tables) == 1
        changes = self._changes(known, dataset, tables, adds, cells)
        if not changes:
            return
        if self._are_there(changes):
            self.settle()
            return
        known = self._with_room(known, dataset, changes)
        if self._appends:
            self._append(known, changes, durable)
        else:
            self.before_write()
            self._replace_parts(changes, {}, through=0)
            self._learn(known, changes)
            if any((dataset, change.part) not in self._in_record for change in changes):
                self._restart_log(known.next_at, self._in_record | self._rows.through)  # behind it: it must be there

    def _changes(
        self,
        known: RowsKnown,
        dataset: RowKind,
        tables: Sequence[tuple[str, pa.Table]],
        adds: bool,
        cells: Sequence[Mapping[str, Any]] | None,
    ) -> list[RowChange]:
        changes: list[RowChange] = []
        size = None if cells is None else sum(map(self._rows.forms[dataset].nbytes, cells))
        for key, table in tables:
            old = known.numbers.get(key)
            number = int(table["number"][0].as_py()) if dataset == "trials" else old
            if number is None and len(table):
                number = self.number_of(key, dataset)
            number = 0 if number is None else number  # rows that an earlier version left: they are taken away
            if old is not None and old != number:
                raise ValueError(f"trial {key!r} has the number {old} and keeps it, but is given {number}")
            if len(table) or key in known.reported:
                changes.append(RowChange(known.next_at + len(changes), dataset, key, number, table, adds, cells, size))
        return changes

    def number_of(self, key: str, dataset: RowKind) -> int:
        """Look up the number of a trial that is to get rows in ``dataset``; a ValueError for one that has no row yet.

        Whoever reads would find rows of no trial, and a resume would take them for what a killed writer left.
        """
        number = self._up_to_date().numbers.get(key)
        if number is None and not self._appends:
            number = self._anew().numbers.get(key)  # another store here may have written the trial
        if number is None:
            raise ValueError(f"trial {key!r} has no row yet: it is written before its {dataset}")
        return number

    def _append(self, known: RowsKnown, changes: Sequence[RowChange], durable: bool) -> None:
        """Add changes to the log, and bring the parts up to it where that is due."""
        lines = self._rows.log.lines(changes)
        if is_too_long := self._is_too_long(lines):
            self.settle_all()
            is_too_long = self._is_too_long(lines)
        self.before_write()
        if is_too_long:
            # First: a part has no change of a number that the log has yet to give.
            self._rows.log.restart(changes[-1].at + 1, self._rows.log.read().parts)
            self._replace_parts(changes, {}, changes[-1].at)
            self._sync_names()
        else:
            self._rows.log.append(lines, durable)
            known.in_log += len(changes)
        self._learn(known, changes)
        self._left_as = self._rows.log.identity()
        self._told_of = changes
        self.settle()
        self._told_of = ()

    def _are_there(self, changes: Sequence[RowChange]) -> bool:
        """Tell whether these were written by the last call, which raised since the parts could not be brought up to
        them: who tries again means the same rows, not further ones.
        """
        pairs = zip(self._told_of, changes, strict=False)
        same = all((one.dataset, one.key, one.adds) == (other.dataset, other.key, other.adds) for one, other in pairs)
        pairs = zip(self._told_of, changes, strict=False)
        return len(self._told_of) == len(changes) and same and all(one.rows.equals(other.rows) for one, other in pairs)

    def _is_too_long(self, lines: bytes) -> bool:
        """Tell whether nobody would read the log with these."""
        return self._left_as is not None and self._left_as[1] + len(lines) > limits.FILE_BYTES

    def _with_room(self, known: RowsKnown, dataset: RowKind, changes: Sequence[RowChange]) -> RowsKnown:
        """Return what is known; a FullError where the changes would make more rows than anybody reads."""
        if not self._has_room(known, dataset, changes):
            known = self._anew(dataset, {change.key for change in changes if not change.adds})
            if not self._has_room(known, dataset, changes):
                most = (
                    f"{row_kinds.MOST_ROWS[dataset]:,} rows or {row_kinds.MOST_WRITTEN_BYTES[dataset]:,} bytes of them"
                )
                raise FullError(f"{self.folder / dataset} is full: it may hold at most {most}")
        return known

    def _has_room(self, known: RowsKnown, dataset: RowKind, changes: Sequence[RowChange]) -> bool:
        rows = known.rows[dataset] + sum(len(change.rows) for change in changes)
        size = known.sizes[dataset] + sum(change.nbytes for change in changes)
        return rows <= row_kinds.MOST_ROWS[dataset] and size <= row_kinds.MOST_WRITTEN_BYTES[dataset]

    def settle(self, at_once: bool = False) -> None:
        """Bring the parts up to the log, where that is due: what is rare at once, what is frequent in groups."""
        if not self._appends or not (at_once or self._is_due()):
            return
        if self._up_to_date().in_log:
            self.settle_all()

    def settle_all(self, without_damage: bool = False) -> None:
        """Bring the parts up to the log, and into parts what an earlier version wrote as a file a trial.

        A ValueError for a file that cannot be read, and unless ``without_damage`` for what the log lost: nothing is
        changed then, and a resume sets it aside.
        """
        begun = time.monotonic()
        self.before_write()
        if without_damage:
            self._in_record = {}  # what is gone is made anew, of what the log still has
        if self._appends:
            self._rows.log.sync()  # first: after a power cut no part may have a change that the log lacks
        logged = self._rows.logged()
        if logged.damaged and not without_damage:
            raise ValueError(f"{self._rows.log.path} cannot be read: {logged.damaged}")
        old = {dataset: self._rows.of_one_trial(dataset) for dataset in COMPACTED}
        if logged.changes or any(old.values()):
            self._replace_parts(logged.changes, old, max((change.at for change in logged.changes), default=0))
            self._sync_names()
        parts = {} if without_damage else logged.parts  # those too that nothing has read here
        self._restart_log(logged.next_at, parts | self._rows.through)
        if self._appends:
            self._left_as = self._rows.log.identity()
        if self._known is not None:
            self._known.in_log = 0
        self._settled_at = time.monotonic()
        self._pause = (self._settled_at - begun) / SHARE

    def _restart_log(self, next_at: int, parts: Mapping[tuple[RowKind, int], int]) -> None:
        self._rows.log.restart(self._next_at(next_at), parts)
        self._in_record = dict(parts)

    def _sync_names(self) -> None:
        if isinstance(self.folder, Path):
            for dataset in COMPACTED:
                inside.sync_names(self.folder, dataset)

    def _is_due(self) -> bool:
        if self._known is None or not self._known.in_log:
            return False
        size = 0 if self._left_as is None else self._left_as[1]
        is_long = self._known.in_log >= MOST_CHANGES or size > MOST_LOG_BYTES
        return is_long or time.monotonic() - self._settled_at >= max(SETTLE_SECONDS, self._pause)

    def _up_to_date(self) -> RowsKnown:
        """Return what is known, read anew where somebody else has written the log since."""
        if self._known is None or (self._appends and self._rows.log.identity() != self._left_as):
            return self._anew()
        return self._known

    def _anew(self, dataset: RowKind = "trials", replaced: Collection[str] = ()) -> RowsKnown:
        """Read what is known anew; the rows of ``replaced`` trials in a data set take no room any more."""
        trials, reports = self._rows.rows("trials"), self._rows.rows("reports")
        logged = self._rows.log.read()
        self._in_record = dict(logged.parts)
        is_copied = not self._appends and logged.changes  # from a disk
        if is_copied or logged.torn or (self._appends and self._rows.log.identity() is None):
            self.settle_all()  # nothing may stand behind half a record
            logged.changes.clear()
        self._left_as = self._rows.log.identity() if self._appends else None
        numbers, reported = numbers_of(trials), set(keys_of(reports))
        rows, sizes = dict[RowKind, int](), dict[RowKind, int]()
        for kind, table in zip(COMPACTED, (trials, reports), strict=True):
            kept = without(table, set(replaced)) if kind == dataset else table
            rows[kind], sizes[kind] = len(kept), kept.nbytes
        next_at = self._next_at(logged.next_at)
        self._known = RowsKnown(numbers, reported, next_at, len(logged.changes), rows, sizes)
        self._rows.let_parts_go()  # a resume kept them up to here
        return self._known

    def _next_at(self, logged: int) -> int:
        return max([logged, *(at + 1 for at in self._rows.through.values())])

    def _learn(self, known: RowsKnown, changes: Iterable[RowChange]) -> None:
        for change in changes:
            known.next_at = change.at + 1
            known.rows[change.dataset] += len(change.rows)
            known.sizes[change.dataset] += change.nbytes
            if change.dataset == "trials" and len(change.rows):
                known.numbers[change.key] = change.number
            if change.dataset == "reports":
                (known.reported.add if len(change.rows) else known.reported.discard)(change.key)

    def _replace_parts(self, changes: Sequence[RowChange], old: dict[RowKind, list[str]], through: int) -> None:
        """Replace each part that is changed, trials first, so that a report has a trial whenever somebody reads.

        ``through`` is the last change that the log has of them; 0 for changes that are in no log.
        """
        numbers: dict[str, int] = {}
        for dataset in COMPACTED:
            by_part: dict[int, list[RowChange]] = defaultdict(list)
            for change in changes:
                if change.dataset == dataset:
                    by_part[change.part].append(change)
            alone: dict[int, list[pa.Table]] = defaultdict(list)
            for key in old.get(dataset, ()):
                table, _ = self._as_written(dataset, key)
                if dataset == "trials":
                    numbers |= numbers_of(table)
                alone[numbers.get(key, 0) // TRIALS_A_PART].append(table)
            if old.get("reports") and dataset == "trials":
                numbers |= numbers_of(self._rows.rows("trials"))
            for part in sorted({*by_part, *alone}):
                self._replace_part(dataset, part, by_part[part], alone[part], through)

    def _replace_part(
        self, dataset: RowKind, part: int, changes: Sequence[RowChange], alone: Sequence[pa.Table], through: int
    ) -> None:
        name = part_name(part)
        rows, has = self._as_written(dataset, name, must_be=(dataset, part) in self._in_record)
        kept = set(keys_of(rows))
        new = [table for table in alone if keys_of(table)[0] not in kept]
        if through:
            changes = [change for change in changes if change.at > has]
        rows = applied(pa.concat_tables([rows, *new]).combine_chunks(), dataset, changes)
        files = {keys_of(table)[0] for table in alone}
        for key in sorted(files - (kept := set(keys_of(rows)))):  # first: else a kill -9 would let it come back
            inside.remove(self.folder, f"{dataset}/{key}.parquet")
        self.replace_part(dataset, part, rows, max(through, has))
        for key in sorted(files & kept):
            inside.remove(self.folder, f"{dataset}/{key}.parquet")

    def _as_written(self, dataset: RowKind, name: str, must_be: bool = False) -> tuple[pa.Table, int]:
        """The rows of a file as they lie in it; none of one that is not there, or a ValueError where it ``must_be``."""
        if (found := self._rows.as_written(dataset, name)) is not None:
            return found
        if must_be:
            raise ValueError(f"{self._rows.path(dataset, name)} is not there; a resume goes on without")
        return pa.Table.from_batches([], self._rows.schemas[dataset]), 0

    def replace_part(self, dataset: RowKind, part: int, rows: pa.Table, through: int) -> None:
        """Write the rows of a part as they lie in it, which has all changes up to ``through``. It may have none: a
        reader that has just listed the files finds each.
        """
        rows = by_number(rows) if dataset == "trials" else rows
        content = parquet.of_part(rows, {THROUGH: str(through)})
        self.before_write()  # of each part: what was read of it a while ago may be another driver's by now
        inside.write(self.folder, f"{dataset}/{part_name(part)}.parquet", content)
        self._rows.through[dataset, part] = through

    def take_out(self, dataset: RowKind, name: str, keys: set[str], aside: str) -> None:
        """Write the rows of those trials of a part to the file ``aside``, and the part without them."""
        rows, through = self._as_written(dataset, name)
        part = part_number(name)
        assert part is not None
        out = without(rows, set(keys_of(rows)) - keys)
        inside.write(self.folder, aside, parquet.of_few_rows(out))
        self.replace_part(dataset, part, without(rows, keys), through)

    def forget(self) -> None:
        """Read what is known anew before the next change."""
        self._known = None
