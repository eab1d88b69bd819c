"""Rows of many trials are looked at together, and as strictly as each by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from results import Store
from results.store import parquet, row_types, validate
from results.store.column import Column
from results.store.schema import trials_schema
from tests.one_file_a_trial import one_file_a_trial
from tests.results.conftest import KNOBS

Row = dict[str, Any]
COLUMNS = {column.name: column for column in row_types.TRIAL_COLUMNS}
BAD: dict[str, Any] = {
    "value": 1e101, "train_seconds": -1.0, "spent": math.nan, "steps": -1, "attempt": 1_000_001, "device": "x" * 1001,
    "overrides": "[]", "logged": '{"a": [1]}', "status": "done", "stage": "later", "design": "three",
    "started_at": datetime(2300, 1, 1, tzinfo=UTC), "ended_at": datetime(1960, 1, 1, tzinfo=UTC), "key": "other",
    "seed": None, "objective": None,
}  # fmt: skip


@pytest.fixture
def many(tmp_path: Path, make_trial: Callable[..., Row]) -> Store:
    store = Store.create(tmp_path / "many", {"objective": "val_bpb"}, KNOBS)
    for number in range(2 * validate.FEW):
        row = make_trial(number, "completed", 2.0 + number)
        store.write_trial({**row, "started_at": datetime(2026, 1, 1, tzinfo=UTC)})
    return store


@pytest.mark.parametrize("name", [name for name in BAD if name in COLUMNS])
def test_one_bad_cell_among_many_trials_is_found_and_its_file_named_alone(name: str, many: Store) -> None:
    path = sorted((one_file_a_trial(many.folder) / "trials").glob("*.parquet"))[5]
    schema = trials_schema(KNOBS)
    table = parquet.read(path.read_bytes(), schema, 1)
    (row,) = parquet.rows(table)
    row[name] = BAD[name]
    path.write_bytes(parquet.of_few_rows(pa.Table.from_pylist([row], schema)))
    with pytest.raises(ValueError, match=rf"{path} cannot be read: .*(?:{name}|three|'other')") as refused:
        many.trials()
    assert str(refused.value).count("cannot be read") == 1


NUMBERS = [
    0.0,
    -1.0,
    1.0,
    1e6,
    1e6 + 1,
    1e12,
    2e12,
    1e15,
    2e15,
    1e40,
    1e100,
    -1e100,
    2e100,
    math.inf,
    -math.inf,
    math.nan,
]
WHOLE = [0, -1, 1, 10**6, 10**6 + 1, 10**15, 10**15 + 1, 2**63 - 1, -(2**63)]
EDGES = [datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
         datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)]  # fmt: skip
CELLS: dict[type, list[Any]] = {float: NUMBERS, int: WHOLE, bool: [True, False], datetime: EDGES}


@pytest.mark.parametrize("column", row_types.TRIAL_COLUMNS, ids=lambda column: column.name)
def test_a_column_is_surely_right_only_where_each_of_its_cells_is(column: Column) -> None:
    field = trials_schema({}).field(column.name)
    cells = CELLS.get(column.kind, ["", "a", "é" * column.most, "a" * (column.most + 1), "{}", "null"])
    for cell in cells:
        try:
            validate.check_cell(column, cell)
            right = True
        except ValueError:
            right = False
        for others in ([], [None], [good(column)]):
            found = validate.surely_right(column, pa.chunked_array([pa.array([cell, *others], field.type)]))
            assert found == (right and column.unit != "JSON"), cell


def good(column: Column) -> Any:
    """A cell that every column of its kind takes."""
    return {float: 1.0, int: 1, bool: True, str: "a", datetime: EDGES[0]}[column.kind]


def test_a_column_without_cells_is_right() -> None:
    empty = pa.chunked_array([pa.array([None, None], pa.float64())])
    assert validate.surely_right(COLUMNS["value"], empty)
    assert validate.surely_right(replace(COLUMNS["value"], finite=True), empty)
