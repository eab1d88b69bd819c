"""Pools of recorded learning curves that early stopping is judged on: each is one question asked of many configs.

Values between two recorded points are straight in the logarithm of progress, as losses nearly fall.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.surrogate import trainings
from benchmarks.surrogate.small_spaces import RUNGS as RECORDED_AT
from results import load
from results.statistics.leaderboard import Correlation, rank_correlation

PARTS = 16  # a curve is kept at each sixteenth of the budget
RUNGS = (4, 8)  # those at which is judged: a quarter and a half, as the tuner's own rungs
FEWEST = 16  # configs of a pool
FEWEST_SEEDS = 20  # runs of a pool in which scripts were run again on other seeds
RECORDED = Path(__file__).parents[1] / "results" / "recorded"
DRAWN = ("random", "near", "cross", "TPE")  # kinds of the small trainings, a pool each: benchmarks/surrogate/record.py


@dataclass(frozen=True)
class Pool:
    """Completed runs of one question."""

    name: str
    curves: np.ndarray  # (runs, PARTS): the objective at each part of the budget, the last one the end

    @property
    def ends(self) -> np.ndarray:
        return np.asarray(self.curves[:, -1])

    @property
    def gap(self) -> float:
        """The regret of the middle config: what there is to lose."""
        return float(np.median(self.ends) - self.ends.min())

    def orders(self, rung: int) -> Correlation | None:
        """The rank correlation of the values at a rung with the ends."""
        return rank_correlation(pd.Series(self.curves[:, rung - 1]), pd.Series(self.ends), len(self.curves))

    def best_at(self, rung: int) -> int:
        """Count the configs that are ahead at a rung of the one that ends as the best."""
        return int(np.sum(self.curves[:, rung - 1] < self.curves[np.argmin(self.ends), rung - 1]))


def shipped(small_trainings: Path = trainings.FILE) -> Iterator[Pool]:
    """The pools that lie in this repository; ``small_trainings`` may be a longer table of benchmarks.surrogate."""
    small = [run for run in trainings.read("parameter_golf", small_trainings) if run.completed]
    for kind in DRAWN:
        found = [at_parts(RECORDED_AT, run.rungs) for run in small if run.kind == kind]
        yield from _if_large(f"small golf, {kind}", found)
    records = [json.loads(line) for line in (RECORDED / "golf.jsonl").read_text().splitlines()]
    whole = [r["curve"] for r in records if r["status"] == "completed"]
    yield from _if_large("golf proxies, random", [at_parts(list(map(float, c)), list(c.values())) for c in whole])
    for name in ("parameter_golf", "ngpt"):
        yield from _if_large(f"replay of {name}", list(_of_campaign(RECORDED / name)))


def _of_campaign(folder: Path) -> Iterator[np.ndarray]:
    """One run of each recorded config that was trained again."""
    found = load(folder)
    trials = found.trials[(found.trials["status"] == "completed") & found.trials["value"].notna()]
    by_key = dict(list(found.reports.groupby("key")))
    for trial in trials.drop_duplicates("recorded_id").to_dict("records"):
        points = by_key[trial["key"]].sort_values("progress")
        yield at_parts(points["progress"].to_list(), points[trial["objective"]].to_list())


def of_shakespeare(folder: Path) -> Iterator[Pool]:
    """The factorial by length and batch, which make runs comparable."""
    runs, curves = pd.read_csv(folder / "runs.csv"), pd.read_csv(folder / "curves.csv")
    by_run = dict(list(curves.groupby("run_id")))
    for (length, batch), group in runs.groupby(["max_iters", "batch_size"]):
        found = [at_parts(by_run[run]["iter"] / length, by_run[run]["val_loss"]) for run in group["run_id"]]
        yield from _if_large(f"Shakespeare {length:g}, batch {batch:g}", found)


def of_speedrun(folder: Path) -> Iterator[Pool]:
    """The optimizer's track by number of steps: one run of each script, and all runs where most are of other seeds."""
    runs, curves = pd.read_csv(folder / "runs.csv"), pd.read_parquet(folder / "curves.parquet")
    measured = curves[curves["val_loss"].notna() & (curves["step"] > 0)]
    by_run = dict(list(measured.groupby("run_id")))
    whole = (runs["n_val_points"] >= 9) & (runs["last_step"] >= 0.99 * runs["total_steps"])
    runs = runs[whole & runs["experiment"].str.startswith("track_3")]
    for length, group in runs.groupby("total_steps"):
        scripts = group.drop_duplicates("source_sha1")
        yield from _if_large(f"speedrun {length:g}, scripts", _logged(by_run, scripts, length))
        if len(scripts) < len(group) >= FEWEST_SEEDS:
            yield from _if_large(f"speedrun {length:g}, seeds", _logged(by_run, group, length))


def _logged(by_run: dict[Any, pd.DataFrame], runs: pd.DataFrame, length: float) -> list[np.ndarray]:
    return [at_parts(by_run[run]["step"] / length, by_run[run]["val_loss"]) for run in runs["run_id"]]


def read(folder: Path) -> list[Pool]:
    """The pools in a folder with recorded curves; a ValueError where it holds none that is known."""
    if (folder / "curves.csv").exists():
        return list(of_shakespeare(folder))
    if (folder / "curves.parquet").exists():
        return list(of_speedrun(folder))
    raise ValueError(f"{folder} holds neither curves.csv (Shakespeare) nor curves.parquet (the speedrun)")


def at_parts(progress: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """A curve at each part of the budget."""
    at, known = np.asarray(progress, float), np.asarray(values, float)
    kept = np.isfinite(known) & (at > 0)
    parts = np.arange(1, PARTS + 1) / PARTS
    return np.asarray(np.interp(np.log(0.01 + parts), np.log(0.01 + at[kept]), known[kept]))


def _if_large(name: str, curves: Sequence[np.ndarray]) -> Iterator[Pool]:
    whole = [curve for curve in curves if math.isfinite(curve[-1])]
    if len(whole) >= FEWEST:
        yield Pool(name, np.array(whole))
