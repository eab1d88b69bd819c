"""The facts of a column, which stand once: in the annotation of its key in a row's type (``row_types.py``).

Everything else is read off from here: the Arrow schema and the metadata in the files (``schema.py``), what the driver
copies from a report, what a new attempt takes back and what another campaign may reuse (``row_parts.py``), and what a
cell may hold (``validate.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from results.store.limits import SHORT_TEXT

# Units of losses: those of a run that diverged are not finite.
SCORES = ("unit of the objective", "nats/token", "bits/byte", "nats/character")


class FilledBy(Enum):
    """Part of the program that fills a column."""

    SEARCH = "the search: it proposes the trial, and decides what became of it"
    ATTEMPT = "the search, as attempts at the trial begin and end"
    REPORT = "a field of the run's report: Report in trainable/report.py"
    WORKER = "the process that trains the run: Environment in trainable/report.py"
    DRIVER = "the driver: worked out from the reports"


MEASURED = (FilledBy.REPORT, FilledBy.WORKER, FilledBy.DRIVER)


@dataclass(frozen=True)
class Column:
    """One column. Its name, ``kind`` (float, int, bool, str or datetime) and whether it may be null are those of
    the key that it annotates.
    """

    unit: str
    meaning: str
    source: FilledBy
    of_attempt: bool = False  # taken back by an attempt that begins at the first step
    reusable: bool = False  # of a finished trial: the campaign that reuses the trial takes it over
    field: str = ""  # what the report calls it, where that is another name
    finite: bool = True  # else a number may be infinite or none (NaN)
    most: int = SHORT_TEXT  # characters of a text
    repeated: bool = False  # a text of few kinds in many rows: kept once each, and referred to (dictionary-encoded)
    name: str = ""
    kind: type = NoneType
    nullable: bool = True

    @property
    def is_measure(self) -> bool:
        """Tell whether it is a number that trials are measured by, as an objective or a constraint may be."""
        return self.source in MEASURED and self.kind in (int, float)


def measured(unit: str, meaning: str, source: FilledBy = FilledBy.REPORT, field: str = "") -> Column:
    """A column that says how an attempt went: a new one takes it back, and it is reused with its trial."""
    return Column(unit, meaning, source, of_attempt=True, reusable=True, field=field, finite=unit not in SCORES)


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns that the keys of a row's type are annotated with, in order."""
    found = []
    for name, annotation in get_type_hints(row, include_extras=True).items():
        cell, column = get_args(annotation)
        nullable = NoneType in get_args(cell)
        found.append(replace(column, name=name, kind=_kind(cell), nullable=nullable, field=column.field or name))
    return tuple(found)


def _kind(cell: Any) -> type:
    """The type of a cell that is not null."""
    if get_origin(cell) is Literal:
        return str
    members = [member for member in get_args(cell) if member is not NoneType]
    found: type = _kind(members[0]) if members else cell
    return found
