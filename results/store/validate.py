"""Validity of single rows: each cell within the range of its column, none missing that a row of its kind has.

What Parquet itself notices (cut files, changed bytes) and what would not fit into memory comes before: parquet.py.
Rows are looked at when they are read and when they are written, so that nothing is written that cannot be read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Annotated, Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from terminal.nearest import nearest
from terminal.short import shortened

from results.design import Design
from results.store import parquet, row_types
from results.store.column import Column, FilledBy
from results.store.complaint_text import rule_of
from results.store.limits import DEPTH, JSON_TEXT, LARGEST_NUMBER, MOST_COUNTED, MOST_KNOBS
from results.store.row_types import TrialRow
from results.store.statuses import ABLATE, CONFIRM, STAGES, STATUSES

FIRST_TIME, LAST_TIME = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_MICROSECONDS = (int(FIRST_TIME.timestamp()) * 10**6, int(LAST_TIME.timestamp()) * 10**6)
AT_ONCE = 1_000  # rows as Python objects at a time
FEW = 8  # rows whose cells are sooner looked at one by one

# What a row has beside the columns that are never null: unless it made no valid config, and by its status and stage.
TRAINED = ("seed", "data", "attempt", "budget", "budget_unit")
BY_STATUS: dict[str, tuple[str, ...]] = {"completed": ("value",), "running": ("started_at",)}
BY_STAGE: dict[str | None, tuple[str, ...]] = {
    CONFIRM: ("arm", "round", "design"),
    ABLATE: ("round", "design", "undone"),
}


RANGES: dict[str, tuple[float, float]] = {  # unit -> the least and the most; LARGEST is in either direction
    "count": (0, 1e15),
    "number": (0, 2**63 - 1),
    "steps": (0, 2**63 - 1),
    "tokens": (0, 2**63 - 1),
    "bytes": (0, 2**63 - 1),
    "s": (0, 1e12),
    "min": (0, 1e12),
    "tokens/s": (0, 1e15),
    "budget_unit": (0, 1e40),
    "fraction": (0, 1e6),
    "CORE": (-1e6, 1e6),  # below 0 is below chance
}
_PERHAPS_LARGE = r"[0-9]{90}|[0-9.][eE]\+?[0-9]|Infinity"  # for RE2: a number above LARGEST_NUMBER looks so
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"')
_BRACKETS = re.compile(r"[\[\]{}]")
_OF_A_TRIAL = [  # the columns that a row has or has not by its status and stage
    "status", "stage", "objective", "spent", "config", *TRAINED, "value", "started_at", "arm", "round",
    "design", "undone",
]  # fmt: skip
_KNOB = Column("as in the config", "sampled value", FilledBy.SEARCH)
COUNTED: dict[str, tuple[float, float]] = {  # columns that are counted up by one; a campaign stays far below
    "number": (0, MOST_COUNTED),
    "attempt": (0, MOST_COUNTED),
    "round": (0, MOST_COUNTED),
}


class Undone(BaseModel):
    """The plan of a run of an ablation."""

    model_config = ConfigDict(strict=True, extra="allow")
    changes: Annotated[list[str], Field(max_length=MOST_KNOBS)]
    undone: Annotated[list[str], Field(max_length=MOST_KNOBS)]


class Promotion(BaseModel):
    """The time that a trial was stopped and went on again; results/promotions.py reads it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    rung: Annotated[float, Field(gt=0)]
    value: float
    cutoff: float
    reason: str
    stopped_at: str
    why: str
    at: str


JSON: dict[str, TypeAdapter[Any]] = {
    "config": TypeAdapter(dict[str, Any] | None),
    "overrides": TypeAdapter(Annotated[dict[str, Any], Field(max_length=MOST_KNOBS)]),
    "inert": TypeAdapter(Annotated[list[str], Field(max_length=MOST_KNOBS)]),
    "undone": TypeAdapter(Undone),
    "promotions": TypeAdapter(Annotated[list[Promotion], Field(min_length=1, max_length=1000)]),
    "logged": TypeAdapter(dict[str, bool | int | float | str | None]),
}


def check_rows(table: pa.Table, dataset: str, key: str | None, objective: str | None) -> None:
    """Raise a ValueError unless the rows can be those of the trial ``key`` (None: of any trials) in this dataset.

    ``objective`` is that of the campaign, where it says one.
    """
    for found in table["key"].to_pylist():
        if not found or (key is not None and found != key):
            raise ValueError(f"its rows are of {shortened(found)}")
    _check_cells(table, columns_named(tuple(table.schema.names), dataset))
    for name in never_null(dataset):
        if table[name].null_count:
            raise ValueError(_is_null(name, dataset))
    for row in _rows(table.select(_OF_A_TRIAL)) if dataset == "trials" else ():
        _check_names(cast(TrialRow, row))
        _check_trial(cast(TrialRow, row), objective)


def _check_cells(table: pa.Table, columns: Sequence[Column]) -> None:
    """Check every cell: those of a column together, and one by one only where a column may have a bad one."""
    if len(table) >= FEW:
        columns = [column for column in columns if not surely_right(column, table[column.name])]
        for column in [column for column in columns if column.unit == "JSON"]:
            texts: Any = table[column.name].unique().drop_null()
            for text, is_small in zip(texts.to_pylist(), _surely_small(texts), strict=True):
                _check_text(column, text, is_small)
        columns = [column for column in columns if column.unit != "JSON"]
    for row in _rows(table.select([column.name for column in columns])):
        for column in columns:
            if row[column.name] is not None:
                check_cell(column, row[column.name])


def check_row(cells: Mapping[str, Any], dataset: str, key: str, objective: str | None) -> None:
    """Raise a ValueError for one row to be written, of all columns of its data set, where :func:`check_rows` would."""
    if cells["key"] != key:
        raise ValueError(f"its rows are of {shortened(cells['key'])}")
    for column in columns_named(tuple(cells), dataset):
        if (cell := cells[column.name]) is not None:
            check_cell(column, cell)
    for name in never_null(dataset):
        if cells[name] is None:
            raise ValueError(_is_null(name, dataset))
    if dataset == "trials":
        _check_names(cast(TrialRow, cells))
        _check_trial(cast(TrialRow, cells), objective)


def _is_null(name: str, dataset: str) -> str:
    return f"{name} is null, but a {dataset.removesuffix('s')} has one"


def _rows(table: pa.Table) -> Iterator[Mapping[str, Any]]:
    for batch in table.to_batches(max_chunksize=AT_ONCE):
        try:
            rows = parquet.rows(pa.Table.from_batches([batch]))
        except OverflowError:
            raise ValueError("a time in it is beyond every calendar") from None
        yield from rows


def range_of(name: str, unit: str) -> tuple[float, float]:
    """The least and the most that a number in that column may be."""
    return COUNTED.get(name) or RANGES.get(unit, (-LARGEST_NUMBER, LARGEST_NUMBER))


def needed(dataset: str) -> list[str]:
    """The columns that every file of a dataset has, of whatever version: those without which no row is one."""
    fixed = row_types.COLUMNS[dataset]
    trained = TRAINED if dataset == "trials" else ()
    return ["key", *(column.name for column in fixed if column.name in trained or not column.nullable)]


@lru_cache(maxsize=16)
def columns_named(names: tuple[str, ...], dataset: str) -> tuple[Column, ...]:
    """The columns of those names but the key; one that is not of the data set is a sampled knob."""
    known = {column.name: column for column in row_types.COLUMNS[dataset]}
    return tuple(known.get(name) or replace(_KNOB, name=name) for name in names if name != "key")


@lru_cache(maxsize=4)
def never_null(dataset: str) -> list[str]:
    """The columns that every row of a dataset has, but for those that are looked at by themselves."""
    fixed = row_types.COLUMNS[dataset]
    return [column.name for column in fixed if not column.nullable and column.name not in ("key", "status")]


def surely_right(column: Column, cells: pa.ChunkedArray[Any]) -> bool:
    """Tell whether no cell can be one that :func:`check_cell` refuses, from all of them together.

    False says nothing: of a column of JSON, for one, only the cells do.
    """
    found: Any = cells.combine_chunks().drop_null()
    if not len(found) or pa.types.is_boolean(found.type):
        return True
    if pa.types.is_string(found.type):
        return column.unit != "JSON" and bool(pc.max(pc.utf8_length(found)).as_py() <= column.most)
    if pa.types.is_timestamp(found.type):
        first, last = _MICROSECONDS
        times: Any = pc.min_max(found.cast(pa.int64()))
        return bool(first <= times["min"].as_py() and times["max"].as_py() < last)
    finite: Any = pc.is_finite(found)
    if column.finite and not pc.all(finite).as_py():
        return False
    found = found.filter(finite)
    least, most = range_of(column.name, column.unit)
    ends: Any = pc.min_max(found)  # not by numpy: to make an array of numbers loads pandas
    return not len(found) or bool(least <= ends["min"].as_py() and ends["max"].as_py() <= most)


def check_cell(column: Column, value: Any) -> None:
    """Raise a ValueError for a value that its column cannot have."""
    name = column.name
    if isinstance(value, str):
        _check_text(column, value)
    elif isinstance(value, datetime):
        if not FIRST_TIME <= value < LAST_TIME:
            raise ValueError(f"{name} is {value:%Y-%m-%d} but must be from {FIRST_TIME.year} to {LAST_TIME.year}")
    elif not isinstance(value, bool):
        if not isfinite(value) and not column.finite:
            return  # of a run that diverged
        least, most = range_of(name, column.unit)
        if not least <= value <= most:
            raise ValueError(f"{name} is {value!r} but must be {least:g} to {most:g}")


def _check_text(column: Column, text: str, is_small: bool = False) -> None:
    name = column.name
    if len(text) > column.most:
        raise ValueError(f"{name} has {len(text):,} characters but may have at most {column.most:,}")
    if column.unit == "JSON":
        try:
            found = JSON[name].validate_json(text, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            rule = first["msg"] if (must := rule_of(first)) == first["msg"] else f"it must {must}"
            raise ValueError(f"{name} is {shortened(text)} but must be JSON of its kind: {rule}") from None
        if not is_small:
            _check_depth(name, found)


def _surely_small(texts: Any) -> list[bool]:
    """Tell of each JSON text that it can hold nothing which :func:`_check_depth` refuses, in a hundredth of its time.

    False says nothing: the text of a string may look like a number.
    """
    lengths: Any = pc.utf8_length(texts)
    large: Any = pc.match_substring_regex(texts, _PERHAPS_LARGE)
    begun_in: Any = pc.count_substring_regex(texts, r"[\[{]")
    cells = (column.to_pylist() for column in (texts, lengths, large, begun_in))
    return [
        length <= JSON_TEXT and not is_large and (begun <= DEPTH or _depth(text) <= DEPTH)
        for text, length, is_large, begun in zip(*cells, strict=True)
    ]


def _depth(text: str) -> int:
    """Count the most lists and objects that are in each other in a JSON text."""
    depth = most = 0
    for bracket in _BRACKETS.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        most = max(most, depth)
    return most


def _check_depth(name: str, value: Any, depth: int = 0) -> None:
    if depth > DEPTH:
        raise ValueError(f"{name} is nested more than {DEPTH} deep")
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            _check_depth(name, member, depth + 1)
    if isinstance(value, int | float) and abs(value) > LARGEST_NUMBER and (name != "logged" or isinstance(value, int)):
        raise ValueError(f"{name} holds a number beyond {LARGEST_NUMBER:g}")
    if isinstance(value, str) and len(value) > JSON_TEXT:
        raise ValueError(f"{name} holds a text of {len(value):,} characters but may hold at most {JSON_TEXT:,}")


def _check_names(row: TrialRow) -> None:
    status, stage = row["status"], row["stage"]
    if status not in STATUSES:
        raise ValueError(
            f"status {shortened(status)} does not exist: {nearest(str(status)[:60], STATUSES, 'statuses')}"
        )
    if stage is not None and stage not in STAGES:
        raise ValueError(f"stage {shortened(stage)} does not exist: {nearest(stage[:60], STAGES, 'stages')}")


def _check_trial(row: TrialRow, objective: str | None) -> None:
    status, stage = row["status"], row["stage"]
    if objective is not None and row["objective"] != objective:
        raise ValueError(f"objective is {shortened(row['objective'])} but the campaign's is {objective!r}")
    if status != "infeasible" or row["spent"] is not None or row["config"] != "null":
        _need(row, TRAINED, f"a trial that is {status}" if status != "infeasible" else "a trial with a config")
    _need(row, BY_STATUS.get(status, ()), f"a trial that is {status}")
    _need(row, BY_STAGE.get(stage, ()), f"a run of the stage {stage}")
    if stage == ABLATE and status != "infeasible":
        _need(row, ("arm", "seed"), f"a run of the stage {stage}")
    if row["design"] is not None:
        Design.of_row(row["design"])


def _need(row: Mapping[str, object], names: Sequence[str], what: str) -> None:
    for name in names:
        if row[name] is None:
            raise ValueError(f"{name} is null, but {what} has one")
