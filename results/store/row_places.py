"""The paths to data that the rows of trials name: relative to the campaign's folder in its files, whole in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from storage.location import Location

from results.store import parquet
from results.store.places import Change, change_sources, from_home, to_whole

_WITH_PLACES = ("config", "overrides")  # columns whose JSON may name data
_MAY_BE_ONE = re.compile(r'source":\s*"[./]')


def relative(folder: Location, trials: pa.Table) -> pa.Table:
    """The rows of trials as they are written into ``folder``. They must be such that can be read (rows.py)."""
    return _changed(trials, from_home(folder)) if isinstance(folder, Path) else trials


def relative_cells(folder: Location, cells: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cells of a trial's row as they are written into ``folder``; see :func:`relative`."""
    if not isinstance(folder, Path) or not any(_MAY_BE_ONE.search(cells[name] or "") for name in _WITH_PLACES):
        return cells
    change = from_home(folder)
    return {**cells, **{name: _changed_text(cells[name], change) for name in _WITH_PLACES}}


def whole(folder: Location, trials: pa.Table) -> pa.Table:
    """The rows of trials as they are read from ``folder``. They must have been looked at (rows.py)."""
    return _changed(trials, to_whole(folder)) if isinstance(folder, Path) else trials


def _changed(trials: pa.Table, change: Change) -> pa.Table:
    for name in _WITH_PLACES:
        texts = trials[name].to_pylist()
        if any(text is not None and _MAY_BE_ONE.search(text) for text in texts):
            at = trials.schema.get_field_index(name)
            changed = parquet.texts([_changed_text(text, change) for text in texts])
            trials = trials.set_column(at, trials.schema.field(at), changed)
    return trials


def _changed_text(text: str | None, change: Change) -> str | None:
    if text is None or not _MAY_BE_ONE.search(text):
        return text
    found = json.loads(text)
    return json.dumps(found) if change_sources(found, found, change) else text
