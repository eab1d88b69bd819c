"""Changes of a campaign's rows that are not yet in its parts, and what the rows are with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from results.store import parquet
from results.store.names import TRIALS_A_PART
from results.store.row_kinds import RowKind


@dataclass(frozen=True)
class RowChange:
    """The rows of one trial in one data set, as of one moment."""

    at: int  # its place among all changes of the campaign
    dataset: RowKind
    key: str
    number: int  # of the trial
    rows: pa.Table
    adds: bool = False  # behind the rows that the trial has; else in their place
    cells: Sequence[Mapping[str, Any]] | None = None  # the same rows as Python objects, where they were at hand
    known_bytes: int | None = None  # of the rows, where they were counted

    @property
    def part(self) -> int:
        """The part that the trial's rows are in, as long as it is there: a trial keeps its number."""
        return self.number // TRIALS_A_PART

    @cached_property
    def nbytes(self) -> int:
        """Bytes of the rows, decoded."""
        return self.rows.nbytes if self.known_bytes is None else self.known_bytes


def applied(rows: pa.Table, dataset: RowKind, changes: Sequence[RowChange]) -> pa.Table:
    """The rows after the changes, in the order of these: trials by number, reports as they were made."""
    if changes:
        replaced: set[str] = set()
        new: list[RowChange] = []
        for change in changes:
            if not change.adds:
                replaced.add(change.key)
                new = [other for other in new if other.key != change.key] if _has(new, change.key) else new
            new.append(change)
        rows = pa.concat_tables([without(rows, replaced), *(change.rows for change in new)]).combine_chunks()
    return by_number(rows) if dataset == "trials" else rows


def without(rows: pa.Table, keys: set[str]) -> pa.Table:
    """The rows but those of the trials ``keys``."""
    if not keys or not len(rows):
        return rows
    of_these = pc.is_in(rows["key"], value_set=parquet.texts(sorted(keys)))
    return rows.filter(pc.invert(of_these))


def keys_of(rows: pa.Table) -> list[str]:
    """The key of each row, which none lacks."""
    return cast(list[str], rows["key"].to_pylist())


def by_number(trials: pa.Table) -> pa.Table:
    """The rows of trials, sorted by number; themselves where they are."""
    numbers = [number for number in trials["number"].to_pylist() if number is not None]
    if len(numbers) == len(trials) and all(before < after for before, after in pairwise(numbers)):
        return trials  # no copy of all of them
    return trials.sort_by([("number", "ascending"), ("key", "ascending")])


def _has(changes: Sequence[RowChange], key: str) -> bool:
    return any(change.key == key for change in changes)
