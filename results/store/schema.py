"""The columns of ``row_types.py``, and one a sampled knob, as an Arrow schema.

Units and meanings are stored in the Parquet files themselves (field metadata), so a file explains itself without us.
A hint for pandas is stored as well: without it a whole number column with a gap would come back as float64.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from terminal.nearest import nearest

from results.store import row_types
from results.store.column import Column

SCHEMA_VERSION = 2  # of 1 are campaigns with a file a trial

_FLOAT, _INT, _BOOL, _TEXT = pa.float64(), pa.int64(), pa.bool_(), pa.string()
REPEATED_TEXT = pa.dictionary(pa.int32(), pa.string())
KNOB_TYPES: dict[str, pa.DataType] = {"float64": _FLOAT, "int64": _INT, "bool": _BOOL, "string": _TEXT}
_OF_KIND = {float: _FLOAT, int: _INT, bool: _BOOL, str: _TEXT, datetime: pa.timestamp("us", tz="UTC")}
_KNOB = {"unit": "as in the config", "meaning": "sampled value of this config field; null where the trial has none"}


def schemas(knobs: Mapping[str, str]) -> dict[str, pa.Schema]:
    """The schema of each data set; a ValueError as of :func:`trials_schema`."""
    return {"trials": trials_schema(knobs), "reports": reports_schema(), "curves": curves_schema()}


def trials_schema(knobs: Mapping[str, str]) -> pa.Schema:
    """Schema of ``trials``: the fixed columns, then one per sampled knob (dotted path -> float64, int64, bool, string).

    A ValueError for an unknown type and for a knob that is called like a fixed column.
    """
    fixed = _fields(row_types.TRIAL_COLUMNS)
    names = {field.name for field in fixed}
    for path, kind in knobs.items():
        if path in names:
            raise ValueError(f"the knob {path!r} must not be called like a column of the trials")
        if not isinstance(kind, str) or kind not in KNOB_TYPES:
            raise ValueError(f"the knob {path!r} has the type {kind!r}: {nearest(str(kind), KNOB_TYPES, 'types')}")
    return _schema([*fixed, *(pa.field(path, KNOB_TYPES[kind], metadata=_KNOB) for path, kind in knobs.items())])


def reports_schema() -> pa.Schema:
    """Schema of ``reports``."""
    return _schema(_fields(row_types.REPORT_COLUMNS))


def curves_schema() -> pa.Schema:
    """Schema of ``curves``."""
    return _schema(_fields(row_types.CURVE_COLUMNS))


def _fields(columns: Iterable[Column]) -> list[pa.Field[Any]]:
    return [pa.field(c.name, _type(c), metadata={"unit": c.unit, "meaning": c.meaning}) for c in columns]


def _type(column: Column) -> Any:
    return REPEATED_TEXT if column.repeated else _OF_KIND[column.kind]


def _schema(fields: Sequence[pa.Field[Any]]) -> pa.Schema:
    return pa.schema(fields, metadata={"schema_version": str(SCHEMA_VERSION), "pandas": _pandas_hint(fields)})


def _pandas_hint(fields: Iterable[pa.Field[Any]]) -> str:
    """Ask pandas for its nullable types where numpy has none; every other column is left to its defaults."""
    nullable = {_INT: "Int64", _BOOL: "boolean"}
    columns = [
        {"name": f.name, "field_name": f.name, "pandas_type": str(f.type), "numpy_type": hint, "metadata": None}
        for f in fields
        if (hint := nullable.get(f.type))
    ]
    return json.dumps({"index_columns": [], "column_indexes": [], "columns": columns})
