"""A row that is to be written is checked and counted by its cells as it would be by its table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from results.store import parquet, row_places, validate
from results.store.row_changes import RowChange
from results.store.row_form import RowForm
from results.store.row_log import RowLog
from results.store.schema import schemas
from tests.results.conftest import START, WHOLE

KNOBS = {"model.tied": "bool", "schedule": "string", "optimizer.matrix_lr": "float64", "model.num_layers": "int64"}
FORM = RowForm(schemas(KNOBS)["trials"], "trials")
FULL: dict[str, Any] = {
    **WHOLE, "key": "k1", "number": 1, "status": "completed", "value": 1.5, "note": "käse", "started_at": START,
    "ended_at": datetime(2026, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=-7))), "model.tied": True,
    "schedule": "Tidal", "optimizer.matrix_lr": 0.1, "model.num_layers": 3, "val_loss": float("inf"),
}  # fmt: skip
BAD = {
    "key": "k2", "status": "complete", "stage": "serach", "value": None, "number": None, "attempt": -1, "seed": None,
    "config": "{", "overrides": "[1]", "started_at": datetime(1960, 1, 1, tzinfo=UTC), "design": "3x",
    "train_seconds": -1.0, "objective": "other", "reason": "x" * 2_000_000, "inert": json.dumps([[]]),
}  # fmt: skip


def as_a_table(cells: Any) -> pa.Table:
    columns = [pa.array([cells.get(field.name)], field.type) for field in FORM.schema]
    return pa.Table.from_arrays(columns, schema=FORM.schema)


def test_a_rows_table_is_that_of_its_cells_and_takes_as_many_bytes() -> None:
    for row in (FULL, {**WHOLE, "key": "k1", "status": "running", "started_at": START}):
        cells = FORM.cells(row, "k1", None)
        table = FORM.table(cells)
        assert list(cells) == FORM.schema.names and table.equals(as_a_table(row), check_metadata=True)
        assert FORM.nbytes(cells) == table.nbytes


def test_its_line_in_the_log_is_that_of_its_table() -> None:
    cells = FORM.cells(FULL, "k1", None)
    table = FORM.table(cells)
    lines = [RowLog.lines([RowChange(7, "trials", "k1", 1, table, cells=known)]) for known in ([cells], None)]
    assert lines[0] == lines[1] and b'"ended_at":1767348245678901' in lines[0]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_is_refused_with_the_words_that_its_reader_would_have(name: str) -> None:
    row = {**FULL, name: BAD[name]}
    with pytest.raises(ValueError) as by_table:  # whatever it says is compared
        validate.check_rows(as_a_table(row), "trials", "k1", "val_bpb")
    with pytest.raises(ValueError) as by_cells:
        FORM.cells(row, "k1", "val_bpb")
    assert str(by_cells.value) == str(by_table.value)


def test_paths_in_the_cells_of_a_row_are_written_as_in_its_table(tmp_path: Any) -> None:
    for source in (str(tmp_path / "texts"), "fineweb"):
        config = json.dumps({"type": "TrainConfig", "data": {"type": "DataConfig", "source": source}})
        cells = FORM.cells({**FULL, "config": config}, "k1", None)
        changed = row_places.relative_cells(tmp_path / "runs" / "night", cells)
        table = row_places.relative(tmp_path / "runs" / "night", FORM.table(cells))
        assert parquet.rows(FORM.table(changed)) == parquet.rows(table)
        assert (changed["config"] == config) == (source == "fineweb")
