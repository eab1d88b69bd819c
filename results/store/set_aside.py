"""Files of a campaign that cannot be read, and rows of trials that have none: moved to ``damaged/`` by a resume.

A part that cannot be read takes up to 256 trials with it. What of them the log still has comes back into a new part;
which are gone is said by their numbers, and the campaign goes on as if they had never been trained. A copy of every
part beside it would keep them, and cost twice the writing: a disk that changes bits is better held by its file system.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from storage import files, inside
from storage.location import Location
from terminal.counted import counted

from results.store.consistency import numbers_of, strays
from results.store.names import TRIALS_A_PART, part_name, part_number
from results.store.row_files import RowFiles
from results.store.row_kinds import COMPACTED, ROW_KINDS, RowKind
from results.store.row_log import ROW_LOG
from results.store.row_writer import RowWriter

if TYPE_CHECKING:
    from terminal.console import Console

OnCorrupt = Callable[[Location, str], None]  # the file under its new name, or its own if it is gone, and what is wrong

DAMAGED = "damaged"  # not in the data sets' folders: polars and DuckDB read all that these have, hidden files too
_EARLIER = ".corrupt-"  # how the names of such files began, which were left in place
_FEW = 3  # files of trials without a row that are named each


class SetAside:
    """Moves what cannot be read of one campaign away. Only for the process that alone writes it."""

    def __init__(self, rows: RowFiles, writer: RowWriter, said: OnCorrupt) -> None:
        """Read all there is; ``said`` is told of each file that is moved."""
        self.folder, self._rows, self._writer, self._said = rows.folder, rows, writer, said
        self._damaged: list[tuple[RowKind, str, str]] = []
        self._whole: dict[RowKind, list[tuple[str, pa.Table]]] = {dataset: [] for dataset in ROW_KINDS}
        self._changes = rows.changes("trials")
        self._log_is = rows.log.damaged or rows.log.torn
        for dataset in ROW_KINDS:
            for key, found in rows.each(dataset, reachable=True):
                if isinstance(found, ValueError):
                    self._damaged.append((dataset, key, str(found)))
                    rows.forget(dataset, key)
                else:  # of a curve one row, copied: a slice would keep all of it in memory
                    of_curve = dataset == "curves" and len(found)
                    self._whole[dataset].append((key, found.take([0]) if of_curve else found))
        self.trials = rows.with_changes("trials", self._whole["trials"], self._changes)
        bad = {(dataset, key) for dataset, key, _ in self._damaged}
        self._lacking = [
            (dataset, part, why)
            for dataset in COMPACTED
            for part, why in self._lacking_of(dataset).items()
            if part is None or (dataset, part_name(part)) not in bad
        ]

    def _lacking_of(self, dataset: RowKind) -> dict[int | None, str]:
        return self._rows.lacking(dataset, [name for name, _ in self._whole[dataset]])

    def move(self) -> None:
        """Move what cannot be read, and files of one trial that has no row (any more)."""
        numbers = numbers_of(self.trials)
        self._move_earlier()
        for dataset, key, why in self._damaged:
            self._move(dataset, key, why + self._loss(dataset, key, numbers))
        for dataset in ROW_KINDS[1:]:
            self._move_strays(dataset, numbers)
        told: set[str] = set()
        for kind, part, why in self._lacking:
            loss = "; lost with it is what was not in the parts yet" if part is None else ""
            loss = loss if part is None else self._loss(kind, part_name(part), numbers)
            if why not in told:
                self._said(self.folder / (ROW_LOG if part is None else f"{kind}/{part_name(part)}.parquet"), why + loss)
            told.add(why)

    def settle(self) -> None:
        """Bring the parts up to the log, and take out of them the reports of trials that have no row."""
        if self._log_is:
            # After a power cut the last record may never have been whole: then it told nobody of anything.
            aside = place_aside(self.folder, ROW_LOG if self._rows.log.damaged else f"torn-{ROW_LOG}")
            inside.write(self.folder, aside, files.read(self.folder / ROW_LOG))
            self._said(self.folder / aside, f"{self.folder / ROW_LOG} {self._log_is}")
        self._writer.settle_all(without_damage=True)
        self._take_out_strays(numbers_of(self.trials))

    def _move(self, dataset: RowKind, key: str, why: str) -> None:
        file = f"{dataset}/{key}.parquet"
        inside.rename(self.folder, file, aside := place_aside(self.folder, file))
        self._said(self.folder / aside, why)

    def _move_earlier(self) -> None:
        """Move the files that an earlier version set aside where they lay; those in an object store stay there."""
        if not isinstance(self.folder, Path):
            return
        for dataset in ROW_KINDS:
            for name in os.listdir(self.folder / dataset) if (self.folder / dataset).is_dir() else ():
                if name.startswith(_EARLIER):
                    aside = place_aside(self.folder, f"{dataset}/{name.removeprefix(_EARLIER)}")
                    inside.rename(self.folder, f"{dataset}/{name}", aside)

    def _loss(self, dataset: RowKind, name: str, numbers: Mapping[str, int]) -> str:
        """Say which trials a part took with it; nothing for a file of one trial, which is called like it."""
        part = part_number(name)
        if part is None or dataset == "curves":
            return ""
        curves = [int(found["number"][0].as_py()) for _, found in self._whole["curves"] if len(found)]
        first, last = part * TRIALS_A_PART, (part + 1) * TRIALS_A_PART - 1
        if (known := max([*numbers.values(), *curves], default=-1)) >= first:
            last = min(last, known)
        if dataset == "reports":
            return f"; lost with it: the reports of trials {first} to {last} that {ROW_LOG} no longer has"
        back = {change.number for change in self._changes if change.part == part}
        lost = [number for number in range(first, last + 1) if number not in back]
        said = f"; lost with it and trained anew: {_in_words(lost)}" if lost else ""
        return f"{said}; {ROW_LOG} still has {_in_words(sorted(back))}" if back else said

    def _move_strays(self, dataset: RowKind, numbers: Mapping[str, int]) -> None:
        """Move the files of one trial each that are of none of the trials."""
        alone = [table for key, table in self._whole[dataset] if part_number(key) is None]
        empty = pa.Table.from_batches([], self._rows.schemas[dataset])
        found = strays(pa.concat_tables([empty, *alone]), dataset, numbers)
        for key, why in found.items():
            file = f"{dataset}/{key}.parquet"
            inside.rename(self.folder, file, aside := place_aside(self.folder, file))
            if len(found) <= _FEW:
                self._said(self.folder / aside, f"{self.folder / file} {why}")
        if len(found) > _FEW:
            self._said(self.folder / DAMAGED / dataset, f"{counted(len(found), 'file')} of trials that have no row")

    def _take_out_strays(self, numbers: Mapping[str, int]) -> None:
        """Take the reports that are of none of the trials out of their parts."""
        for name, found in list(self._rows.all("reports")):
            if keys := set(strays(found, "reports", numbers)):
                aside = place_aside(self.folder, f"reports/{name}.parquet")
                self._writer.take_out("reports", name, keys, aside)
                why = f"has reports of {counted(len(keys), 'trial')} that have no row"
                self._said(self.folder / aside, f"{self._rows.path('reports', name)} {why}")
        self._writer.forget()


def _in_words(numbers: Sequence[int]) -> str:
    """Name trials: ``trial 3``, ``trials 0 to 4, 7``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
    return "" if not texts else f"trial{'s' * (len(numbers) > 1)} {', '.join(texts)}"


def may_hold(folder: Location, dataset: RowKind, key: str) -> bool:
    """Tell whether a file that may be of this trial could not be read once, and lies in ``damaged/`` since."""
    there = [name.partition(".parquet")[0] for name in files.names(folder / DAMAGED / dataset)]
    logs = any(name.startswith(ROW_LOG) for name in files.names(folder / DAMAGED))
    earlier = files.is_file(folder / dataset / f"{_EARLIER}{key}.parquet")
    return logs or earlier or any(name == key or part_number(name) is not None for name in there)


def say_set_aside(console: Console, folder: Location, place: Location, why: str) -> None:
    """Tell a person of a file that was moved, by its path in the campaign's folder."""
    name = str(place).removeprefix(f"{folder}/")
    console.print(f"set aside as {name}: {why}" if name.startswith(f"{DAMAGED}/") else f"not set aside: {why}")


def place_aside(folder: Location, file: str) -> str:
    """A path in ``damaged/`` for a file of the campaign, at which nothing is yet."""
    aside = f"{DAMAGED}/{file}"
    while files.exists(folder / aside):
        aside = f"{DAMAGED}/{file}.{uuid.uuid4().hex[:8]}"
    return aside
