"""The schema explains itself, in the code and in the files."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from results import Store
from results.store import row_types
from results.store.column import Column
from results.store.row_kinds import ROW_KINDS
from results.store.row_types import CURVE_COLUMNS, REPORT_COLUMNS, TRIAL_COLUMNS
from results.store.schema import trials_schema
from trainable.config import UNITS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("column", [*TRIAL_COLUMNS, *REPORT_COLUMNS, *CURVE_COLUMNS], ids=lambda c: c.name)
def test_every_column_has_a_unit_and_a_meaning(column: Column) -> None:
    assert column.unit.strip() and column.meaning.strip()


def test_the_unit_of_a_budget_may_be_any_that_a_budget_has() -> None:
    (column,) = [c for c in TRIAL_COLUMNS if c.name == "budget_unit"]
    assert all(unit in column.meaning for unit in UNITS)


@pytest.mark.parametrize("columns", row_types.COLUMNS.values(), ids=row_types.COLUMNS)
def test_no_column_is_listed_twice(columns: tuple[Column, ...]) -> None:
    names = [c.name for c in columns]
    assert sorted(names) == sorted(set(names))


def test_units_and_meanings_are_in_the_files(store: Store) -> None:
    for dataset in ROW_KINDS:
        (part,) = (store.folder / dataset).glob("*.parquet")
        schema = pq.read_schema(part)
        assert (schema.metadata or {})[b"schema_version"] == b"2"
        for field in schema:
            assert {b"unit", b"meaning"} <= (field.metadata or {}).keys(), field.name


def test_a_knob_of_an_unknown_type_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'model\.width' has the type 'int': did you mean 'int64'\?"):
        trials_schema({"model.width": "int"})


def test_a_knob_named_like_a_column_is_refused() -> None:
    with pytest.raises(ValueError, match="'seed' must not be called like a column"):
        trials_schema({"seed": "int64"})


def test_the_page_about_curves_lists_the_columns_of_their_files() -> None:
    table = (ROOT / "docs" / "curves.md").read_text(encoding="utf-8").partition("| column of the file |")[2]
    listed = re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], flags=re.MULTILINE)
    assert listed == [column.name for column in CURVE_COLUMNS]
