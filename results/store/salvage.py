"""A row of our own that our own rules refuse: what can be kept of it is, and what cannot is named.

A worker may say anything of a trial (a clock that went back, a device with a name of a megabyte, a loss beyond every
scale). The trial has been trained, so that its row is written all the same, without the cells that no reader would
take. Where it then lacks what a row of its status has, the trial counts as crashed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import pyarrow as pa

from results.store.cells import plain
from results.store.validate import check_cell, columns_named

T = TypeVar("T")
Said = tuple[str, str]  # which row was written without which cells, and why


class RefusedRowError(OSError):
    """A row of which not even the rest can be written."""


def salvaged(
    row: dict[str, Any], schema: pa.Schema, dataset: str, checked: Callable[[Mapping[str, Any]], T]
) -> tuple[T, Said | None]:
    """Return what ``checked`` makes of a row or, where it refuses it by a ValueError, of the most of it that can be
    written.

    ``row`` is then brought to what was taken of it. A RefusedRowError where nothing can be written.
    """
    try:
        return checked(row), None
    except ValueError as error:
        refused = error
    rest, left_out = _without_bad_cells(row, schema, dataset)
    why = "; ".join(left_out.values()) or str(refused)
    what = f"{'the row' if dataset == 'trials' else 'a report'} of trial {row.get('key')!r}"
    for kept, became in _versions(rest, left_out, why, dataset):
        try:
            found = checked(kept)
        except ValueError as error:
            refused = error
            continue
        row.clear()
        row.update(kept)
        return found, (f"{what} {became}", why)
    raise RefusedRowError(errno.EINVAL, f"{what} is refused by our own rules: {why}; {refused}")


def _versions(
    rest: dict[str, Any], left_out: Mapping[str, str], why: str, dataset: str
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield what may be kept of a row, the most first, each with what is said of it."""
    if dataset == "trials":
        rest["note"] = _noted(rest.get("note"), left_out)
    if left_out:
        yield rest, f"was written without {', '.join(left_out)}"
    if dataset == "trials":
        crashed = {"status": "crashed", "value": None, "reason": f"its row could not be written as it was: {why}"}
        yield {**rest, **crashed}, "could not be written as it was, and counts as crashed"


def _without_bad_cells(
    row: Mapping[str, Any], schema: pa.Schema, dataset: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """The row with null for what its columns cannot have, and by name why."""
    names = set(schema.names)
    left_out = {name: f"{name} is no column of {dataset}" for name in row if name not in names}
    kept = {name: value for name, value in row.items() if name not in left_out}
    for column in columns_named(tuple(schema.names), dataset):
        try:
            value = plain(schema.field(column.name), kept.get(column.name))
            if value is not None:
                check_cell(column, value)
        except ValueError as error:
            left_out[column.name] = str(error)
            kept[column.name] = None
    return kept, left_out


def _noted(note: str | None, left_out: Mapping[str, str]) -> str | None:
    """The note of a row, with each column that was left out once, however often it is written so."""
    for name, why in left_out.items():
        if f"left out: {name} " not in (note or ""):
            note = f"{note}; left out: {why}" if note else f"left out: {why}"
    return note
