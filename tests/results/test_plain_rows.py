"""Rows as plain objects, and views of columns that are the same rows."""

from __future__ import annotations

import pandas as pd
import pytest

from results import plain_rows as module
from results.plain_rows import plain_rows, row_views

FRAME = pd.DataFrame(
    {
        "key": pd.array(["a", "b", None], dtype="str"),
        "number": [0, 1, 2],
        "seed": pd.array([7, None, 9], dtype="Int64"),
        "steps": [4.0, float("nan"), 6.0],  # a count that pandas made floats
        "value": [0.5, float("nan"), 1.0],
        "is_base": pd.array([True, None, False], dtype="boolean"),
    }
)


def test_a_view_has_the_cells_of_the_plain_row() -> None:
    rows = plain_rows(FRAME)
    assert rows[1] == {"key": "b", "number": 1, "seed": None, "steps": None, "value": None, "is_base": None}
    assert [type(rows[0][name]) for name in ("seed", "steps", "value", "is_base")] == [int, int, float, bool]
    assert [dict(view) for view in row_views(FRAME)] == list(rows)
    assert len(row_views(FRAME)[0]) == len(FRAME.columns)


def test_a_view_refuses_a_column_that_is_not_there() -> None:
    (first, *_) = row_views(FRAME)
    assert first.get("nothing") is None and "nothing" not in first
    with pytest.raises(KeyError, match="nothing"):
        first["nothing"]


def test_only_columns_that_are_asked_for_are_made_plain_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    cells = module._plain_cells
    monkeypatch.setattr(module, "_plain_cells", lambda column, count: made.append(column.name) or cells(column, count))
    views = row_views(FRAME)
    assert [view["value"] for view in views] == [0.5, None, 1.0] and [view["key"] for view in views][:2] == ["a", "b"]
    assert made == ["value", "key"]
