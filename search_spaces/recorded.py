"""The recorded runs of a campaign: rows of its ``runs.csv``, each a named base and typed overrides on it.

A row has two readings, since logs and code disagree: ``as_logged`` is what the log says was tried, ``as_run`` what the
published code did (inert knobs dropped, the schedule that it really had). Rows hold full-size values; another scale
says what its own are. Loading resolves every row in both readings at every scale, so a wrong row never gets further.
"""

from __future__ import annotations

import csv
import functools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal.nearest import closest, nearest
from terminal.number import decimal
from trainable.component import without_neutral
from trainable.component_paths import difference, with_values
from trainable.config import TrainConfig

from search_spaces import catalogue
from search_spaces.objectives import CORE, CORE_ERROR
from search_spaces.space import Space

READINGS = ("as_logged", "as_run")
ROOT = "root"  # the base of a row that starts from the scale's own base config
LEFT, RIGHT = ("id", "phase", "name", "base", "overrides_as_logged", "overrides_as_run"), ("steps", "status", "note")

Overrides = Mapping[str, Any]  # dotted path -> value, as JSON has it


@dataclass(frozen=True)
class RecordedRun:
    """One row. The metrics are those the campaign published; a metric that a run does not have is left out."""

    id: str
    phase: str
    name: str
    base: str | None  # the id of another row, or "root"; None where the run's config was never published
    overrides_as_logged: Overrides
    overrides_as_run: Overrides
    metrics: Mapping[str, float]
    steps: int | None  # optimizer steps that it did
    status: str
    note: str

    def overrides(self, reading: str) -> Overrides:
        """The overrides on the base in one of :data:`READINGS`."""
        if reading not in READINGS:
            raise ValueError(f"unknown reading {reading!r}: {nearest(reading, READINGS, 'readings')}")
        found: Overrides = getattr(self, f"overrides_{reading}")
        return found

    def score(self, objective: str) -> float | None:
        """The published value of an objective, that of core_error by its CORE; None where there is none."""
        if objective == CORE_ERROR and CORE in self.metrics:
            return 1 - self.metrics[CORE]
        return self.metrics.get(objective)


def load(space: Space) -> list[RecordedRun]:
    """The campaign's runs in the order of the file, all of them checked; a ValueError names the row that is wrong."""
    return list(_checked(space.name).values())


def resolve(space: Space, run_id: str, reading: str = "as_run", scale: str = "full") -> TrainConfig:
    """The config of a recorded run, with its active tricks only; a ValueError where no such run was published."""
    config: TrainConfig = without_neutral(recorded_config(space, _checked(space.name), run_id, reading, scale))
    return config


@functools.cache
def _checked(name: str) -> dict[str, RecordedRun]:
    if name not in catalogue.names():
        raise ValueError(f"space {name!r} has no recorded runs")
    space = catalogue.load(name)
    runs = read(Path(__file__).parent / name / "runs.csv")
    check(space, runs)
    return runs


# --- the file ---------------------------------------------------------------------------------------------------------


def nearest_run(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the closest of many ids, or how to see them all, which would not fit in a line."""
    ids = list(known)
    if (close := closest(name, ids)) is not None:
        return f"did you mean {close!r}?"
    return f"there are {len(ids)}, from {ids[0]} to {ids[-1]} (--show all lists them)" if ids else "there is none"


def read(path: Path) -> dict[str, RecordedRun]:
    """The rows of a file by id, each base known."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [cells for cells in csv.reader(file, strict=True) if cells]
    except (OSError, UnicodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as CSV: {error}") from None
    if not rows:
        raise ValueError(f"{path} is empty: its first row must name the columns")
    header, runs = rows[0], dict[str, RecordedRun]()
    if tuple(header[: len(LEFT)]) != LEFT or tuple(header[-len(RIGHT) :]) != RIGHT:
        raise ValueError(f"{path}: the columns are {header} but must be {', '.join(LEFT)}, metrics, {', '.join(RIGHT)}")
    for cells in rows[1:]:
        if len(cells) != len(header):
            raise ValueError(f"{path}: row {cells[0]!r} has {len(cells)} cells but the header has {len(header)}")
        run = _run(dict(zip(header, cells, strict=True)), header[len(LEFT) : -len(RIGHT)], path)
        if run.id in runs:
            raise ValueError(f"{path}: run {run.id!r} stands there twice")
        runs[run.id] = run
    for run in runs.values():
        _check_bases(run, runs, path)
    return runs


def _run(cells: Mapping[str, str], metrics: Sequence[str], path: Path) -> RecordedRun:
    where = f"{path}: run {cells['id']!r}"
    return RecordedRun(
        id=cells["id"],
        phase=cells["phase"],
        name=cells["name"],
        base=cells["base"] or None,
        overrides_as_logged=_overrides(cells, "overrides_as_logged", where),
        overrides_as_run=_overrides(cells, "overrides_as_run", where),
        metrics={name: _number(cells, name, where) for name in metrics if cells[name]},
        steps=int(_number(cells, "steps", where)) if cells["steps"] else None,
        status=cells["status"],
        note=cells["note"],
    )


def _overrides(cells: Mapping[str, str], column: str, where: str) -> Overrides:
    try:
        found = json.loads(cells[column], object_pairs_hook=_once)
    except ValueError as error:
        raise ValueError(f"{where}: {column} is {cells[column]!r}, which is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{where}: {column} is {cells[column]!r} but must be a JSON object of dotted paths")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    paths = [path for path, _ in pairs]
    if len(set(paths)) < len(paths):
        raise ValueError(f"{max(paths, key=paths.count)} is set twice")
    return dict(pairs)


def _number(cells: Mapping[str, str], column: str, where: str) -> float:
    value = decimal(cells[column])
    if value is None or not math.isfinite(value):
        raise ValueError(f"{where}: {column} is {cells[column]!r} but must be a number")
    return value


def _check_bases(run: RecordedRun, runs: Mapping[str, RecordedRun], path: Path) -> None:
    seen, base = [run.id], run.base
    if base is None and (run.overrides_as_logged or run.overrides_as_run):
        raise ValueError(f"{path}: run {run.id!r} has overrides but no base")
    while base is not None and base != ROOT:
        if base not in runs:
            raise ValueError(f"{path}: run {seen[-1]!r} has an unknown base {base!r}: {nearest_run(base, runs)}")
        if base in seen:
            raise ValueError(f"{path}: run {run.id!r} is its own base by way of {' -> '.join([*seen, base])}")
        if runs[base].base is None:
            raise ValueError(f"{path}: run {seen[-1]!r} is based on {base!r}, whose config was never published")
        seen.append(base)
        base = runs[base].base


# --- a row to a config ------------------------------------------------------------------------------------------------


def check(space: Space, runs: Mapping[str, RecordedRun]) -> None:
    """Resolve every row in both readings at every scale; a ValueError names the row, the knob and the nearest name."""
    for reading in READINGS:
        for scale in space.scales:
            known: dict[str, TrainConfig] = {}
            for run in runs.values():
                if run.base is not None:
                    recorded_config(space, runs, run.id, reading, scale, known)


def recorded_config(
    space: Space,
    runs: Mapping[str, RecordedRun],
    run_id: str,
    reading: str,
    scale: str,
    known: dict[str, TrainConfig] | None = None,
) -> TrainConfig:
    """The config of one of ``runs``: its base's, with its own overrides on it at the values that the scale has.

    ``known`` keeps what was found so far for this reading and scale.
    """
    known = {} if known is None else known
    if run_id not in runs:
        raise ValueError(f"space {space.name} has no recorded run {run_id!r}: {nearest_run(run_id, runs)}")
    run = runs[run_id]
    if run.base is None:
        raise ValueError(f"run {run_id!r} of {space.name} cannot be run: its config was never published ({run.note})")
    if run_id not in known:
        root = run.base == ROOT
        base = space.scale(scale).base if root else recorded_config(space, runs, run.base, reading, scale, known)
        try:
            known[run_id] = with_values(base, at_scale(space, scale, run.overrides(reading)))
        except ValueError as error:
            raise ValueError(f"{space.name}, run {run_id!r} {reading} at scale {scale}: {error}") from None
    return known[run_id]


def at_scale(space: Space, name: str, overrides: Overrides) -> dict[str, Any]:
    """Overrides of the full size as another scale has them.

    A knob in which the bases of the scales differ is a size: each of its recorded values needs an entry in the scale's
    table, unless the scale has a factor for it. Every other value holds at all scales.
    """
    full, scale = space.scale("full"), space.scale(name)
    if scale is full:
        return dict(overrides)
    values = dict(overrides)
    if not values:
        return values
    for path in overrides.keys() & scale.factors.keys():
        values[path] = overrides[path] * scale.factors[path]
    sizes = difference(full.base, scale.base).keys() | scale.sizes.keys()
    for path in (overrides.keys() & sizes) - scale.factors.keys():
        table = scale.sizes.get(path, {})
        if overrides[path] not in table:
            known = ", ".join(f"{a} -> {b}" for a, b in table.items()) or "nothing yet"
            raise ValueError(f"{path} is {overrides[path]!r}, for which the scale has no size (it has {known})")
        values[path] = table[overrides[path]]
    return values
