"""Consistency of a campaign's rows with each other: each may be ours by itself (rows.py) and the whole still not.

Nobody's lies are found out so: a made-up value is a number like any other. But a folder that was put together from two
campaigns, copied by half or edited by hand is not taken for one campaign, and no decision is made of rows that say
different things of one trial or of one round.

Linear in the rows: 10,000 trials take some milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import compress
from typing import Any, cast

import numpy as np
import pyarrow as pa

from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import ABLATE, CONFIRM

_OF_A_ROUND = ("key", "stage", "round", "design", "arm", "seed", "is_base", "undone")


def check_trials(trials: pa.Table, campaign: Mapping[str, Any]) -> None:
    """Raise a ValueError for the first contradiction among all trials of a campaign, whose ``campaign.json`` is given.

    Keys and numbers are each one trial's, a search has one set of data, and the rows of a round are of one design and
    one base, with one run of an arm on a seed. (Several trials of a replay may be its base: their mean counts.)
    """
    _once(trials["key"].to_pylist(), "trial {0!r} twice")
    _once(trials["number"].to_pylist(), "two trials with the number {0}")
    if campaign.get("replay") is None and campaign.get("data"):
        _check_data(trials, campaign["data"])
    after = [stage in (CONFIRM, ABLATE) for stage in trials["stage"].to_pylist()]
    _check_rounds(cast(list[TrialRow], list(compress(trials.select(_OF_A_ROUND).to_pylist(), after))))


def numbers_of(trials: pa.Table) -> dict[str, int]:
    """The number of each trial by its key."""
    return cast(dict[str, int], dict(zip(trials["key"].to_pylist(), trials["number"].to_pylist(), strict=True)))


def strays(rows: pa.Table, dataset: str, numbers: Mapping[str, int]) -> dict[str, str]:
    """The keys of reports or curves that are of none of the trials, sorted, and why: a trial's row is written before
    anything else of it, and a curve has its trial's number. ``numbers`` has that of each trial by its key.
    """
    found: dict[str, str] = {}
    for key, number in sorted(_pairs(rows, "number" if dataset == "curves" else None)):
        if key not in numbers:
            found[key] = f"has {dataset} of a trial that has no row"
        elif number not in (None, numbers[key]):
            found[key] = f"has the number {number}, but the row of its trial has {numbers[key]}"
    return found


def _pairs(rows: pa.Table, beside: str | None) -> set[tuple[str, int | None]]:
    """Collect each key with each value beside it: without ``group_by``, which loads pandas."""
    keys = rows["key"].combine_chunks().dictionary_encode()
    names = [str(name) for name in keys.dictionary.to_pylist()]
    if beside is None or not len(rows):
        return {(name, None) for name in names}
    both = np.stack([np.asarray(keys.indices), np.asarray(rows[beside].combine_chunks())])
    return {(names[place], int(value)) for place, value in np.unique(both, axis=1).T.tolist()}


def _check_data(trials: pa.Table, data: str) -> None:
    for key, found in zip(trials["key"].to_pylist(), trials["data"].to_pylist(), strict=True):
        if found is not None and found != data:
            raise ValueError(f"trial {key!r} was trained on other data than the campaign: {found[:60]!r}")


def _check_rounds(rows: list[TrialRow]) -> None:
    designs: dict[int, str | None] = {}
    bases: dict[int, str | None] = {}
    changes: dict[int, Any] = {}
    runs = []
    for row in rows:
        number = given(row["round"])
        _same(designs, number, row["design"], row, "the design")
        if row["seed"] is not None:
            runs.append((number, row["arm"], row["seed"]))
        if row["stage"] == ABLATE:
            _same(changes, number, json.loads(given(row["undone"]))["changes"], row, "the list of changes")
        elif row["is_base"]:
            _same(bases, number, row["arm"], row, "the base")
    _once(runs, "two runs of {0[1]!r} on seed {0[2]} in round {0[0]}")
    for row in rows:
        if row["stage"] == CONFIRM and not row["is_base"] and row["arm"] == bases.get(given(row["round"]), ...):
            raise ValueError(f"trial {row['key']!r} is a run of the base in round {row['round']}, but says it is none")


def _same(known: dict[int, Any], number: int, value: Any, row: TrialRow, what: str) -> None:
    if known.setdefault(number, value) != value:
        raise ValueError(f"trial {row['key']!r} says of round {number} that {what} is another than its other rows say")


def _once(found: list[Any], twice: str) -> None:
    if len(set(found)) == len(found):
        return
    seen: set[Any] = set()
    for one in found:
        if one in seen:
            raise ValueError(f"it has {twice.format(one)}")
        seen.add(one)
