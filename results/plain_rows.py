"""A data frame's rows as plain Python objects, for rules that look at rows one by one.

Those of a whole campaign are views of its columns: of ten thousand rows with 83 columns each, a dict a row takes a
hundred megabytes, and what asks looks at a dozen columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from results.store.row_types import TRIAL_COLUMNS, TrialRow

if TYPE_CHECKING:
    import pandas as pd

Rows = Sequence[TrialRow]
_COUNTS = {column.name for column in TRIAL_COLUMNS if column.kind is int}


def plain_rows(runs: pd.DataFrame) -> Rows:
    """A data frame's rows as plain ones, with None for what is null, and counts whole where pandas made them floats."""
    columns = [_plain_cells(runs[name], name in _COUNTS) for name in runs]
    names = list(runs)
    return cast(Rows, [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)])


def row_views(runs: pd.DataFrame) -> Rows:
    """The same rows, each a view of columns that are made plain as they are first asked for: not to be changed."""
    columns = _PlainColumns(runs)
    return cast(Rows, [_RowView(columns, at) for at in range(len(runs))])


class _PlainColumns(dict[str, list[Any]]):
    """The columns of a frame by name, each made plain when it is first asked for."""

    def __init__(self, runs: pd.DataFrame) -> None:
        super().__init__()
        self.runs = runs

    def __missing__(self, name: str) -> list[Any]:
        self[name] = _plain_cells(self.runs[name], name in _COUNTS)
        return self[name]


class _RowView(Mapping[str, Any]):
    """One row."""

    __slots__ = ("_at", "_columns")

    def __init__(self, columns: _PlainColumns, at: int) -> None:
        self._columns, self._at = columns, at

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self._at]

    def __iter__(self) -> Iterator[str]:
        return iter(map(str, self._columns.runs))

    def __len__(self) -> int:
        return len(self._columns.runs.columns)


def _plain_cells(column: pd.Series, is_count: bool) -> list[Any]:
    null = column.isna().to_numpy()
    if null.all():
        return [None] * len(column)
    cells = column.astype(object).tolist()
    if is_count:
        return [None if gone else int(cell) for cell, gone in zip(cells, null.tolist(), strict=True)]
    if not null.any():
        return cells
    return [None if gone else cell for cell, gone in zip(cells, null.tolist(), strict=True)]
