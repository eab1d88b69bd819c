"""Tables of recorded learning curves, each as a space that a search can be run on.

Four kinds are read: ``nanogpt_shakespeare_128`` (a full 2^7 factorial), ``modded_nanogpt`` (logs of a speedrun), a file
of ``benchmarks.record_table`` (random configs of one of our spaces) and a campaign's folder (a replay). Only the first
covers its space. Of the others the configs are a finite list, and a search that asks for another point is given the
nearest row that it has not had yet: the one that differs in the fewest knobs, a number by its distance as a part of its
range. No value is made up that way, and a surrogate's smoothness, which would flatter a model-based sampler, does not
enter; the landscape is one of steps.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import search_spaces
from results import load
from search_spaces.domains import Choice, Value
from search_spaces.space import Knob, Scale, Space
from trainable.config import Budget, TrainConfig

PARTS = 9  # a curve is kept at each ninth of the budget
STEPS = 240  # of the made-up budget: our rungs, 60 and 120, are charged in full, with the values of ninths 2 and 4
FEWEST = 20  # rows of a table
OFTEN = 5  # rows that must change a knob of a replay before it is a knob of its own
SPEEDRUN_TRACK = "track_3"  # of modded_nanogpt: the optimizer's track, with one model and one data set
SPEEDRUN_OFTEN = 30  # scripts that must name a constant before it is a knob
SHAKESPEARE_KNOBS = ("block_size", "n_layer", "n_head", "n_embd", "batch_size", "max_iters", "dropout")


@dataclass(frozen=True)
class Row:
    """One recorded run."""

    values: Mapping[str, Value]
    curve: np.ndarray  # the objective at each ninth of the budget; NaN from where the run diverged
    seconds: float  # of the whole run

    @property
    def final(self) -> float:
        return float(self.curve[-1])


class AllTriedError(Exception):
    """Error of a search that has tried every row of a table."""


@dataclass(frozen=True)
class TableSpace(Space):
    """A space whose configs are rows: the seed of a config is the number of its row, and nothing else in it counts."""

    taken: set[int] | None = field(default=None, repr=False)  # rows this campaign has had; None: any may come again
    rows: tuple[Row, ...] = field(default=(), repr=False)
    coordinates: Any = field(
        default=None, repr=False
    )  # (rows, knobs) in [0, 1], or the number of a label; NaN where the knob is not active

    def values_of(self, config: TrainConfig) -> dict[str, Value]:
        return dict(self.rows[config.seed].values)

    def config(self, base: TrainConfig, values: Mapping[str, Value]) -> TrainConfig:
        return replace(base, seed=self.nearest(values))

    def nearest(self, values: Mapping[str, Value]) -> int:
        """The number of the row nearest to ``values``, of equals the first.

        Where rows do not cover the space it is taken by this; raises AllTriedError when all are.
        """
        distance = self.distances(values)
        if self.taken is None:
            return int(np.argmin(distance))
        if len(self.taken) == len(self.rows):
            raise AllTriedError
        distance[list(self.taken)] = math.inf
        found = int(np.argmin(distance))
        self.taken.add(found)
        return found

    def distances(self, values: Mapping[str, Value]) -> np.ndarray:
        """(rows,): how far each row is from ``values``, in knobs."""
        point = np.array([_coordinate(knob, values) for knob in self.knobs])
        gap = np.abs(self.coordinates - point)
        for column, knob in enumerate(self.knobs):
            if not _is_ordered(knob):
                gap[:, column] = np.minimum(1.0, gap[:, column])
        here, there = np.isnan(point), np.isnan(self.coordinates)
        gap[here & there] = 0.0
        gap[here ^ there] = 1.0
        found: np.ndarray = gap.sum(axis=1)
        return found


@dataclass(frozen=True)
class Table:
    """Recorded runs, and the space that they are of. Row 0 is the base."""

    name: str
    space: TableSpace
    base: TrainConfig

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.space.rows

    def fresh(self) -> Table:
        """The table as a new campaign finds it."""
        taken: set[int] | None = None if self.space.taken is None else set()
        return replace(self, space=replace(self.space, taken=taken))

    @property
    def best(self) -> float:
        """The lowest final value."""
        return float(np.nanmin([row.final for row in self.rows]))

    def value(self, row: int, milestone: float) -> float:
        """The objective of a row after ``milestone`` steps of the table's budget; NaN once it has diverged."""
        part = round(milestone / self.base.budget.amount * PARTS)
        return float(self.rows[row].curve[part - 1])


def make(name: str, rows: Sequence[Row], knobs: Sequence[Knob], covers: bool = False) -> Table:
    """A table of rows, which are all points of the space or not; a ValueError where there are too few of them."""
    if len(rows) < FEWEST:
        raise ValueError(f"table {name!r} has {len(rows)} usable runs but needs at least {FEWEST}")
    base = TrainConfig(budget=Budget(steps=STEPS), seed=0)
    coordinates = np.array([[_coordinate(knob, row.values) for knob in knobs] for row in rows])
    scales = {"table": Scale(base, trials=len(rows), about="recorded curves")}
    space = TableSpace(
        name=name,
        question="Which row is best?",
        objective="val_loss",
        scales=scales,
        knobs=tuple(knobs),
        rows=tuple(rows),
        coordinates=coordinates,
        taken=None if covers else set(),
    )
    return Table(name, space, base)


def read(path: Path) -> Table:
    """The table at ``path``, by what is there; a ValueError where it is none of the four kinds."""
    if path.is_file():
        return read_random(path)
    if (path / "curves.parquet").exists():
        return read_speedrun(path)
    if (path / "curves.csv").exists():
        return read_shakespeare(path)
    if (path / "campaign.json").exists():
        return read_campaign(path)
    raise ValueError("a table is a folder with curves and runs.csv, a campaign's, or a file of benchmarks.record_table")


def read_shakespeare(folder: Path) -> Table:
    """The full factorial of a small GPT on Shakespeare's works: 128 runs, final losses 4.66 to 5.29 nats."""
    runs, curves = pd.read_csv(folder / "runs.csv"), pd.read_csv(folder / "curves.csv")
    by_run = dict(list(curves.groupby("run_id")))
    rows = []
    for run in runs.to_dict("records"):
        points = by_run[run["run_id"]]
        progress = points["iter"].to_numpy() / run["max_iters"]
        values: dict[str, Value] = {name: float(run[name]) for name in SHAKESPEARE_KNOBS}
        rows.append(Row(values, _at_parts(progress, points["val_loss"].to_numpy()), float(run["elapsed_s"])))
    labels = {name: sorted(set(runs[name].astype(float))) for name in SHAKESPEARE_KNOBS}
    knobs = [Knob(name, Choice(*labels[name]), "factorial") for name in SHAKESPEARE_KNOBS]
    return make("shakespeare", rows, knobs, covers=True)


def read_speedrun(folder: Path) -> Table:
    """One run of each script of the speedrun's optimizer track that was logged to its end, on its own schedule.

    All were tuned to end at about 3.28 nats, so that what they have on the way says little about their ends (rank
    correlation 0.3): a table on which stopping early can only lose. The script that was logged first is the base.
    """
    runs, curves = pd.read_csv(folder / "runs.csv"), pd.read_parquet(folder / "curves.parquet")
    whole = (runs["n_val_points"] >= PARTS) & (runs["last_step"] >= 0.99 * runs["total_steps"])
    runs = runs[whole & runs["experiment"].str.startswith(SPEEDRUN_TRACK) & runs["config"].notna()]
    runs = runs.drop_duplicates("source_sha1")
    configs = [json.loads(text) for text in runs["config"]]
    logged = [{name: _label(value) for name, value in config.items()} for config in configs]
    often = [name for name, count in Counter(n for config in logged for n in config).items() if count >= SPEEDRUN_OFTEN]
    labels = {name: list(dict.fromkeys(config.get(name, "absent") for config in logged)) for name in often}
    names = [name for name in often if len(labels[name]) > 1]
    measured = curves[curves["val_loss"].notna() & (curves["step"] > 0)]
    by_run, rows = dict(list(measured.groupby("run_id"))), []
    for run, config in zip(runs.to_dict("records"), logged, strict=True):
        points = by_run[run["run_id"]]
        progress = points["step"].to_numpy() / run["total_steps"]
        values: dict[str, Value] = {name: config.get(name, "absent") for name in names}
        rows.append(Row(values, _at_parts(progress, points["val_loss"].to_numpy()), float(run["total_steps"])))
    return make("speedrun", rows, [Knob(name, Choice(*labels[name]), "logged") for name in names])


def read_random(file: Path, space_name: str = "parameter_golf") -> Table:
    """Random configs of one of our spaces, written by ``benchmarks.record_table``."""
    records = [json.loads(line) for line in file.read_text().splitlines()]
    rows = [
        Row(r["values"], _at_parts(*_points(r["curve"]), diverged=r["status"] != "completed"), max(r["seconds"], 1e-3))
        for r in records
        if len(r["curve"]) >= 2
    ]
    sampled = set().union(*(row.values for row in rows))
    knobs = [knob for knob in search_spaces.load(space_name).knobs if knob.path in sampled]
    return make(file.stem, rows, knobs)


def read_campaign(folder: Path) -> Table:
    """A campaign's completed and diverged trials. Overrides that few trials share are one knob together: ``rest``."""
    found = load(folder)
    trials, reports = found.trials, found.reports
    trials = trials[trials["status"].isin(["completed", "diverged"])].sort_values(["is_base", "number"])
    trials = pd.concat([trials[trials["is_base"]], trials[~trials["is_base"]]])
    changes = [json.loads(text) for text in trials["overrides"]]
    paths = sorted({path for change in changes for path in change})
    shared = [p for p in paths if sum(p in change for change in changes) >= OFTEN]
    by_key, objective, rows = dict(list(reports.groupby("key"))), str(trials["objective"].iloc[0]), []
    for trial, change in zip(trials.to_dict("records"), changes, strict=True):
        points = by_key[trial["key"]]
        values: dict[str, Value] = {p: _label(change.get(p, "base")) for p in shared}
        values["rest"] = _label({p: v for p, v in change.items() if p not in shared})
        diverged = trial["status"] == "diverged"
        progress, losses = points["progress"].to_numpy(), points[objective].to_numpy()
        rows.append(Row(values, _at_parts(progress, losses, diverged), float(trial["train_seconds"])))
    labels = {p: list(dict.fromkeys(row.values[p] for row in rows)) for p in [*shared, "rest"]}
    knobs = [Knob(p, Choice(*labels[p]), "replayed") for p in labels if len(labels[p]) > 1]
    return make(folder.name, rows, knobs)


def _label(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _points(curve: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([float(p) for p in curve]), np.array(list(curve.values()), dtype=float)


def _at_parts(progress: np.ndarray, losses: np.ndarray, diverged: bool = False) -> np.ndarray:
    """The curve at each ninth: between two points straight in the logarithm of progress, as losses nearly fall."""
    finite = np.isfinite(losses)
    parts = np.arange(1, PARTS + 1) / PARTS
    found = np.interp(np.log(0.01 + parts), np.log(0.01 + progress[finite]), losses[finite])
    if diverged:
        found[parts > (progress[finite].max(initial=0.0) if finite.any() else 0.0) + 1e-6] = math.nan
        found[-1] = math.nan
    return found


def _is_ordered(knob: Knob) -> bool:
    return not isinstance(knob.domain, Choice)


def _coordinate(knob: Knob, values: Mapping[str, Value]) -> float:
    if knob.path not in values:
        return math.nan
    value, domain = values[knob.path], knob.domain
    if isinstance(domain, Choice):
        return float(domain.labels.index(value))
    assert isinstance(value, int | float)
    if domain.is_log:
        return math.log(value / domain.low) / math.log(domain.high / domain.low)
    return (value - domain.low) / (domain.high - domain.low)
