"""A campaign's folder: ``campaign.json`` and the Parquet data sets ``trials``, ``reports`` and ``curves``.

Trials and reports lie in parts of some hundred trials, curves in a file a trial. A file is only ever replaced whole
(a temporary elsewhere, fsync, rename), so a reader sees the old rows or the new ones, one row per trial, also after a
kill -9. What changes is durable in ``rows.log`` first, and in the parts about a second later: what reads by this module
reads both. In an object store a put is whole by itself and nothing is appended: there each change replaces its part,
and ``rows.log`` says which parts there are.
One process writes a campaign. A finished one may be compacted into one file a dataset (results/compact.py): it is then
there to be read, not to be resumed.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import pyarrow as pa
from storage import files, inside
from storage.location import Location

from results.store import campaign_json, parquet, places, row_places, set_aside
from results.store.campaigns import CAMPAIGN, check_campaign
from results.store.consistency import check_trials, numbers_of, strays
from results.store.curves import TrainingCurve, number_of
from results.store.names import EMPTY, TRIALS_A_PART, check_name, checked_key, is_part
from results.store.no_collections import no_collections
from results.store.row_changes import keys_of, without
from results.store.row_files import RowFiles
from results.store.row_form import Cells
from results.store.row_kinds import COMPACTED, ROW_KINDS, RowKind
from results.store.row_log import ROW_LOG
from results.store.row_types import ReportRow, TrialRow
from results.store.row_writer import FullError, RowWriter
from results.store.salvage import RefusedRowError, salvaged
from results.store.schema import SCHEMA_VERSION
from results.store.set_aside import OnCorrupt, SetAside


class Store:
    """Reads and writes one campaign's folder. Made by :meth:`create` and :meth:`open`."""

    def __init__(self, folder: Location, campaign: dict[str, Any]) -> None:
        self.folder = folder
        self.campaign = campaign
        self._rows = RowFiles(folder, campaign)
        self.before_write: Callable[[], None] = lambda: None  # of each row: raises where the folder is no longer ours
        self.on_refused: Callable[[str, str], None] | None = None  # told of cells left out, and why
        self._writer = RowWriter(self._rows)
        self._writer.before_write = lambda: self.before_write()

    @classmethod
    def create(
        cls, folder: Location, campaign: Mapping[str, Any], knobs: Mapping[str, str], anew: bool = False
    ) -> Store:
        """Start a campaign: ``campaign`` is JSON data to keep, ``knobs`` the type of each sampled dotted path.

        A ValueError for a bad name or knob, and for a folder that already holds something; with ``anew`` it may be a
        campaign in which no trial has begun, whose description is written anew. Two processes that create in one
        folder must be kept apart by the caller.
        """
        store, text = cls._described(folder, campaign, knobs)  # what could not be read again is not begun
        files.create_folder(folder)
        if not (anew and store.is_empty):
            store._refuse_if_in_use()
        for dataset in ROW_KINDS:
            store._write_empty_part(dataset)
        store._rows.log.restart(1, {})
        # Written last: a folder with this file is a whole campaign, one without it can be created again.
        inside.write(folder, CAMPAIGN, text.encode())
        return store

    @classmethod
    def check(cls, folder: Location, campaign: Mapping[str, Any], knobs: Mapping[str, str]) -> None:
        """Raise a ValueError where :meth:`create` would refuse the description; nothing is made, nor looked for."""
        cls._described(folder, campaign, knobs)

    @classmethod
    def _described(cls, folder: Location, campaign: Mapping[str, Any], knobs: Mapping[str, str]) -> tuple[Store, str]:
        """The store of a campaign that is not there yet, and its ``campaign.json``."""
        check_name(folder.name, "campaign name")
        for name in ("schema_version", "knobs"):
            if name in campaign:
                raise ValueError(f"campaign[{name!r}] is written by the store and must not be given")
        whole = {"schema_version": SCHEMA_VERSION, **campaign, "knobs": dict(knobs)}
        text = json.dumps(places.relative(folder, whole), indent=2, allow_nan=False)
        return cls(folder, campaign_json.of_content(folder / CAMPAIGN, text.encode())), text

    @classmethod
    def open(cls, folder: Location) -> Store:
        """Open an existing campaign; a ValueError where there is none or a newer version of this code wrote it.

        Nothing is changed. Reading a damaged file is a ValueError that names it.
        """
        check_campaign(folder)
        store = cls(folder, campaign_json.read(folder / CAMPAIGN))
        missing = [dataset for dataset in COMPACTED if store._rows.compacted and not store._rows.keys(dataset)]
        if missing:
            raise ValueError(f"{folder} is compacted but holds no {missing[0]}: it was not copied whole")
        return store

    @no_collections()
    def set_damaged_aside(self, said: OnCorrupt) -> None:
        """Move every Parquet file that cannot be read to ``damaged/``, and what is of trials that have no row (any
        more); ``said`` is told of each. Only for a process that alone writes the campaign, to go on with it: what the
        log has is then in the parts, and so is what an earlier version wrote as a file a trial.

        A ValueError, before anything is moved, where rows that can be read contradict each other.
        """
        self.refuse_if_compacted()
        self._rows.keep_parts()
        aside = SetAside(self._rows, self._writer, said)
        self._check_trials(aside.trials)
        if self.campaign["schema_version"] < SCHEMA_VERSION:  # first: an earlier version would take a part for damaged
            self.revise({"schema_version": SCHEMA_VERSION})
        aside.move()
        for dataset in ROW_KINDS:  # with the columns of now: pandas takes those of the first file for those of all
            self._write_empty_part(dataset)
        aside.settle()

    def has_set_aside(self, dataset: RowKind, key: str) -> bool:
        """Tell whether a file that may be of this trial could not be read once, and lies in ``damaged/`` since."""
        return set_aside.may_hold(self.folder, dataset, key)

    def revise(self, changes: Mapping[str, Any]) -> None:
        """Write some fields of ``campaign.json`` anew: those that a resume may change."""
        if not changes:
            return
        text = json.dumps(places.relative(self.folder, {**self.campaign, **changes}), indent=2, allow_nan=False)
        self.campaign = campaign_json.of_content(self.folder / CAMPAIGN, text.encode())
        inside.write(self.folder, CAMPAIGN, text.encode())

    def remove_half_written(self) -> None:
        """Remove what writers that were killed left of its files; for a process that alone writes the campaign."""
        inside.remove_half_written(self.folder, "", _is_ours)
        for dataset in ROW_KINDS:  # where earlier versions left them
            inside.remove_half_written(self.folder, dataset, is_part)

    def write_trial(self, row: TrialRow, durable: bool = True) -> None:
        """Store the one row of a trial, in place of an earlier one; columns not given are null.

        A kill -9 loses nothing of it. A power cut may lose what is not ``durable``, until something later is.

        A ValueError for a column that does not exist, a bad key or status, or a value of a wrong type. With
        ``on_refused`` such cells are taken out of ``row`` instead (see salvage.py), and it is told of them.
        """
        self._write("trials", checked_key(row.get("key")), [row], durable=durable)

    def append_report(self, row: ReportRow, durable: bool = True) -> None:
        """Add a row to a trial's reports, as :meth:`write_trial` does. A ValueError also for a trial without a row."""
        self._write("reports", checked_key(row.get("key")), [row], adds=True, durable=durable)

    def replace_reports(self, key: str, rows: Sequence[ReportRow]) -> None:
        """Store all reports of a trial in place of what it had; of none nothing is left. Errors: ``append_report``."""
        self._write("reports", checked_key(key), rows)

    def settle(self, at_once: bool = False) -> None:
        """Let those who read the Parquet files see what was written, where that is due; ``at_once``: all of it now.

        To be called now and then, and at the end. Without it nothing is lost: it is in the log.
        """
        self._writer.settle(at_once)

    def write_curve(
        self, key: str, number: int, curve: TrainingCurve | Mapping[str, Any], durable: bool = True
    ) -> bool:
        """Store the curve of a trial, its own or as its worker sent it, in place of an earlier one; whether it is one.

        A ValueError for one that could not be read again; with ``on_refused`` it is told of that instead. Also a
        ValueError for a trial that has no row yet, or one with another number.
        """
        self.refuse_if_compacted()
        if (known := self._writer.number_of(checked_key(key), "curves")) != number:
            raise ValueError(f"trial {key!r} has the number {known}, but its curve is given {number}")
        try:
            table = TrainingCurve.sent(curve).table(key, number)
        except ValueError as error:
            if self.on_refused is None:
                raise
            self.on_refused(f"the curve of trial {key!r} was not written", str(error))
            return False
        self.before_write()
        if len(table):
            self._write_table("curves", key, table, durable)
        return True

    def sync_curve(self, key: str) -> None:
        """Make the curve of a trial durable, if it has one that was written otherwise."""
        with suppress(FileNotFoundError):
            inside.sync(self.folder, f"curves/{checked_key(key)}.parquet")

    def check_curves(self) -> None:
        """Raise a ValueError for the first curve that cannot be read."""
        for _, found in self._rows.each("curves"):
            if isinstance(found, ValueError):
                raise found

    def curve(self, key: str) -> TrainingCurve | None:
        """The curve of one trial; None where it has none."""
        check_name(key, "trial key")
        there = not self._rows.compacted and files.is_file(self._rows.path("curves", key))
        return TrainingCurve.of(self._rows.read("curves", key)) if there else None

    def trials(self) -> list[TrialRow]:
        """All trials as plain rows (null is None), by number. A ValueError names the files that cannot be read."""
        return cast(list[TrialRow], parquet.rows(self.table("trials")))

    def readable_trials(self) -> list[TrialRow]:
        """The trials that are not damaged, by number: those that a resume goes on with, which sets the rest aside.

        An OSError where an object store does not hand out a file: that says nothing of the file.
        """
        return cast(list[TrialRow], parquet.rows(self._rows.readable("trials")))

    def reports(self, key: str, number: int | None = None) -> list[ReportRow]:
        """The reports of one trial in the order they were made; empty where it made none.

        With the trial's ``number`` no part but its own is read. A ValueError as in :meth:`trials`.
        """
        check_name(key, "trial key")
        return cast(list[ReportRow], parquet.rows(self._rows.of_trial("reports", key, number)))

    def reports_by_key(self) -> dict[str, list[ReportRow]]:
        """All reports in the order they were made, by the key of their trial. A ValueError as in :meth:`trials`."""
        found: dict[str, list[ReportRow]] = {}
        for row in cast(list[ReportRow], parquet.rows(self.table("reports"))):
            found.setdefault(row["key"], []).append(row)
        return found

    def table(self, dataset: RowKind) -> pa.Table:
        """All rows of one dataset: trials by number, reports in the order they were made within a part, curves by key.

        A ValueError names every file that cannot be read.
        """
        if dataset == "curves":
            empty = pa.Table.from_batches([], self._rows.schemas[dataset])
            return pa.concat_tables([empty, *(found for _, found in self._rows.all(dataset))]).combine_chunks()
        whole = self._rows.rows(dataset)
        if dataset == "trials":
            self._check_trials(whole)
        return whole

    @no_collections()
    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Trials and reports, as in :meth:`table`; a ValueError also for reports of a trial that has no row.

        Reports are read first: whatever is written meanwhile, their trials have rows.
        """
        reports = self.table("reports")
        trials = self.table("trials")
        self._check_strays("reports", reports, numbers_of(trials))
        return trials, reports

    def curves(self, numbers: Mapping[str, int] | None = None) -> pa.Table:
        """All training curves, each trial's by name and step. A ValueError as in :meth:`table`, and for a curve that is
        of none of the trials. ``numbers`` has those that were read before, by key.

        Empty in a compacted campaign and in one from before there were curves.
        """
        curves = self.table("curves")
        self._check_known(curves, numbers or {})
        return curves

    def curve_keys(self) -> set[str] | None:
        """Return the keys of the trials that have a training curve; None of a compacted campaign, which keeps none."""
        return None if self._rows.compacted else set(self._rows.keys("curves")) - {EMPTY}

    def each_curve(
        self, numbers: Mapping[str, int], keys: Collection[str] | None = None
    ) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each training curve with its trial's key, one at a time, so that they need not be held together;
        of the trials ``keys`` alone, where these are given.

        A ValueError as of :meth:`curves`, once all were read.
        """
        names = self._rows.keys("curves")
        # Of a curve that is not read, the name of its file says whose it is.
        found = {} if keys is None else {name: numbers.get(name, 0) for name in {*names} - {*keys, EMPTY}}
        for key, table in self._rows.all("curves", [name for name in names if name not in found]):
            if len(table):
                found[key] = number_of(table)
                yield key, table
        known: list[pa.Array[Any]] = [pa.array(list(found), pa.string()), pa.array(list(found.values()), pa.int64())]
        self._check_known(pa.Table.from_arrays(known, ["key", "number"]), numbers)

    def _check_known(self, curves: pa.Table, numbers: Mapping[str, int]) -> None:
        """Raise a ValueError for curves that are of none of the trials, those included that began since these were
        read.
        """
        if strays(curves, "curves", numbers):
            numbers = numbers_of(self.table("trials"))
        self._check_strays("curves", curves, numbers)

    def _check_strays(self, dataset: RowKind, rows: pa.Table, numbers: Mapping[str, int]) -> None:
        """Raise a ValueError for reports or curves that are of none of the trials."""
        for key, why in strays(rows, dataset, numbers).items():
            alone = dataset == "curves" or key in self._rows.of_one_trial(dataset)
            where = self._rows.path(dataset, key) if alone and not self._rows.compacted else self.folder / dataset
            how = "it was not copied whole" if self._rows.compacted else "a resume sets them aside"
            raise ValueError(f"{where} {why} ({key!r}): {how}")

    def _check_trials(self, rows: pa.Table) -> None:
        """Raise a ValueError for trials that contradict each other."""
        try:
            check_trials(rows, self.campaign)
        except ValueError as error:
            raise ValueError(f"{self.folder / 'trials'} cannot be believed: {error}") from None

    def take_name(self) -> int:
        """Write the rows that were read and name another campaign under this folder's name; how many there were."""
        misnamed, self._rows.misnamed = self._rows.misnamed, set()
        if misnamed:
            trials = self.table("trials")
            rows = row_places.relative(self.folder, without(trials, set(numbers_of(trials)) - misnamed))
            tables = [(key, rows.slice(at, 1)) for at, key in enumerate(keys_of(rows))]
            for at in range(0, len(tables), TRIALS_A_PART):
                self._writer.write("trials", tables[at : at + TRIALS_A_PART])
            self.settle(at_once=True)
            self._rows.misnamed.clear()
        return len(misnamed)

    def _write(
        self,
        dataset: RowKind,
        key: str,
        rows: Sequence[TrialRow | ReportRow],
        adds: bool = False,
        durable: bool = True,
    ) -> None:
        self.refuse_if_compacted()
        cells = [self._checked(dataset, key, row) for row in cast(Sequence[dict[str, Any]], rows)]
        if dataset == "trials":
            cells = [row_places.relative_cells(self.folder, row) for row in cells]
        form = self._rows.forms[dataset]
        tables = [form.table(row) for row in cells]
        table = tables[0] if len(tables) == 1 else pa.concat_tables([form.schema.empty_table(), *tables])
        try:
            self._writer.write(dataset, [(key, table)], adds, durable, cells)
        except FullError as error:
            if self.on_refused is None:
                raise
            if dataset == "trials":
                raise RefusedRowError(errno.EFBIG, f"the row of trial {key!r} is refused: {error}") from None
            what = f"a report of trial {key!r} was" if adds else f"the reports of trial {key!r} were"
            self.on_refused(f"{what} not written", str(error))

    def _checked(self, dataset: RowKind, key: str, row: dict[str, Any]) -> Cells:
        """The cells of a row to be written, without those that are refused where somebody is told of them."""
        form, objective = self._rows.forms[dataset], self.campaign.get("objective")
        if self.on_refused is None:
            return form.cells(row, key, objective)
        found, said = salvaged(row, form.schema, dataset, lambda kept: form.cells(kept, key, objective))
        if said is not None:
            self.on_refused(*said)
        return found

    def _write_table(self, dataset: RowKind, key: str, table: pa.Table, durable: bool = True) -> None:
        content = parquet.of_many_rows(table) if dataset == "curves" else parquet.of_few_rows(table)
        inside.write(self.folder, f"{dataset}/{key}.parquet", content, durable=durable)

    def _write_empty_part(self, dataset: RowKind) -> None:
        self._write_table(dataset, EMPTY, pa.Table.from_batches([], self._rows.schemas[dataset]))

    @property
    def is_empty(self) -> bool:
        """Tell whether no trial has begun."""
        logged = self._rows.log.read()
        named = any(key != EMPTY for dataset in ROW_KINDS for key in self._rows.keys(dataset))
        return not (named or logged.changes or logged.damaged)

    def refuse_if_compacted(self) -> None:
        """Raise a ValueError for a campaign that can only be read."""
        if self._rows.compacted:
            raise ValueError(f"{self.folder} is compacted: it can be read, but not resumed")

    def _refuse_if_in_use(self) -> None:
        found = files.names(self.folder)
        if CAMPAIGN in found:
            raise ValueError(f"{self.folder} already holds a campaign: resume it or choose another name")
        foreign = [name for name in found if name not in (*ROW_KINDS, ROW_LOG)]
        foreign += [f"{dataset}/{key}" for dataset in ROW_KINDS for key in self._rows.keys(dataset) if key != EMPTY]
        foreign += [] if self.is_empty else [ROW_LOG]
        if foreign:
            raise ValueError(f"{self.folder} already holds {foreign[0]!r}: a campaign needs a folder of its own")


def _is_ours(name: str) -> bool:
    """Tell whether a file on its way to its name is ours: it is called as its path is, with dots."""
    dataset, _, file = name.partition(".")
    return name in (CAMPAIGN, ROW_LOG) or (dataset in ROW_KINDS and is_part(file))
