"""Training that a search needs to find what a person found: ``python -m benchmarks.reach_recorded FOLDER``.

    python -m benchmarks.reach_recorded FOLDER --methods cold,warm --seeds 5 --jobs 2

The person's best is the recorded run H1 of parameter_golf, trained here at the budget of every trial, in two forms:
with a schedule that completes, and with one that is cut off where the log's was. The target is the lower mean of fresh
seeds. A search ends when a whole trial of it is as low, or when its budget of whole trials is spent; its best config is
then trained on the fresh seeds too, since the lowest of many single values is a lucky one. All methods train by the
same code (``live_table.py``) under one simulated clock. FOLDER keeps one file a campaign: what is there is not done
again.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.reach_recorded")

import argparse
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from rich.table import Table as Printed

import search_spaces
from benchmarks import live_table
from benchmarks.live_table import LiveTable
from benchmarks.rivals import EVERY, RayDefaults
from benchmarks.search_efficiency import at_random, proposing
from benchmarks.simulator import Ours, simulate
from benchmarks.tables import PARTS, STEPS
from search_spaces import recorded
from search_spaces.space import Space
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.nearest import nearest
from terminal.option_numbers import at_least_one, positive
from terminal.workers import Workers
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train
from tuner.early_stopping import DEFAULT_STOPPER, rungs
from tuner.plan.cost import tokens_of
from tuner.proposals import warm_start

SPACE, SCALE, PERSON = "parameter_golf", "replay", "H1"
SLOTS = 2
BUDGET = 33.0  # whole trials: a quarter of what the person spent
FRESH = (7001, 7002, 7003)  # seeds that no search trains on
OUR_PARTS = (*(int(rung / STEPS * PARTS) for rung in rungs(Budget(steps=STEPS))), PARTS)
TITLES = {
    "cold": "ours",
    "warm": "ours, --warm-start recorded",
    "random": "random, no stopping",
    "ray": "Ray OptunaSearch + ASHA, defaults",
}
METHODS = tuple(TITLES)


@dataclass(frozen=True)
class Task:
    """One campaign to run, or with no method the target."""

    folder: Path
    steps: int
    budget: float
    method: str = ""
    seed: int = 0

    @property
    def file(self) -> Path:
        return self.folder / (f"{self.method}-{self.seed}.json" if self.method else "target.json")


@dataclass(frozen=True)
class Place:
    """Space, base and data that all of it happens with."""

    space: Space
    base: TrainConfig
    dataset: Dataset

    @classmethod
    def of(cls, steps: int) -> Place:
        space = search_spaces.load(SPACE)
        base = replace(space.scale(SCALE).base, budget=Budget(steps=steps))
        return cls(space, base, prepare(base.data, train_tokens_needed=tokens_of(base)))

    def value(self, config: TrainConfig, seed: int) -> float:
        """The objective of a whole training; NaN where it diverges."""
        (report,) = train(Run.start(replace(config, seed=seed), self.dataset, Runtime.detect()))
        found = getattr(report, self.space.objective)
        return float(found) if report.status == "completed" and found is not None else math.nan

    def table(self, seed: int, parts: Sequence[int]) -> LiveTable:
        return live_table.make(self.space, replace(self.base, seed=seed), self.dataset, parts)

    def prior(self) -> warm_start.Prior:
        settings = {"budget.steps": self.base.budget.steps}
        return warm_start.load([warm_start.RECORDED], self.space, self.base, SCALE, self.dataset.fingerprint, settings)


def persons(place: Place) -> dict[str, TrainConfig]:
    """The person's best at this budget: with a schedule that completes, and with the log's part of one."""
    run = recorded.resolve(place.space, PERSON, "as_run", SCALE)
    whole = replace(run, budget=place.base.budget, horizon=None)
    assert run.horizon is not None and place.base.budget.steps is not None
    part = run.horizon.amount / run.budget.amount
    return {"complete": whole, "cut off": replace(whole, horizon=Budget(steps=round(place.base.budget.steps * part)))}


def measure_target(place: Place) -> dict[str, Any]:
    """The values of the base and of both forms of the person's best on the fresh seeds."""
    configs = {"base": place.base, **persons(place)}
    return {name: [place.value(config, seed) for seed in FRESH] for name, config in configs.items()}


def target_of(values: dict[str, list[float]]) -> tuple[float, float]:
    """The lower mean of the person's two forms, and the noise of a run (standard deviation, pooled)."""
    noise = math.sqrt(float(np.mean([np.var(v, ddof=1) for v in values.values()])))
    return min(float(np.mean(v)) for name, v in values.items() if name != "base"), noise


def driver_of(place: Place, method: str, seed: int) -> tuple[LiveTable, Any]:
    """A method, and the table that it has its trials from."""
    training_seed = place.base.seed + seed
    if method == "ray":
        driver: Any = RayDefaults(place.table(training_seed, EVERY), seed)  # type: ignore[arg-type]
    elif method == "random":
        driver = Ours(place.table(training_seed, OUR_PARTS), seed, SLOTS, "none", proposing(at_random))  # type: ignore[arg-type]
    else:
        prior = place.prior() if method == "warm" else None
        driver = Ours(place.table(training_seed, OUR_PARTS), seed, SLOTS, DEFAULT_STOPPER, prior=prior)  # type: ignore[arg-type]
    return driver.table, driver


def campaign(place: Place, method: str, seed: int, budget: float, target: float) -> dict[str, Any]:
    """One search until it is at the target or its budget is spent, and its best config on the fresh seeds."""
    table, driver = driver_of(place, method, seed)
    with closing(driver) if hasattr(driver, "close") else nullcontext():
        trace = simulate(table, driver, SLOTS, budget, target)
    ended = [row for row in table.rows if math.isfinite(row.final) and row.config is not None]
    best = min(ended, key=lambda row: row.final)
    assert best.config is not None
    return {
        "finished": trace.finished,
        "compute": trace.compute,
        "started": trace.started,
        "best": dict(best.values),
        "again": [place.value(best.config, fresh) for fresh in FRESH],
    }


def perform(task: Task) -> None:
    """Do a task and keep what was found, in a process of its own."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    place = Place.of(task.steps)
    if task.method:
        target, _ = target_of(json.loads(replace(task, method="").file.read_text())["values"])
        found = campaign(place, task.method, task.seed, task.budget, target)
    else:
        found = {"steps": task.steps, "values": measure_target(place)}
    written = task.file.with_suffix(".part")
    written.write_text(json.dumps(found) + "\n")
    os.replace(written, task.file)
    Console(stderr=True).print(f"{task.file.name}: done")


def compute_to_reach(found: dict[str, Any], target: float) -> float:
    """The compute after which the first whole trial was at the target; infinity where none was."""
    return min((spent for spent, value in found["finished"] if value <= target), default=math.inf)


def print_report(console: Console, folder: Path) -> None:
    """Print what the folder's campaigns needed, a line a method."""
    known = json.loads((folder / "target.json").read_text())
    target, noise = target_of(known["values"])
    means = ", ".join(f"{name} {np.mean(values):.4f}" for name, values in known["values"].items())
    console.print(f"{known['steps']} steps a trial; means of {len(FRESH)} fresh seeds: {means}; noise SD {noise:.4f}")
    allowed = target + 2 * noise
    printed = Printed(title=f"whole trials' compute until a trial is at {PERSON}'s {target:.4f}", title_justify="left")
    best = f"its best against {PERSON}"
    for heading in ("method", "campaigns", "reached", "median (each)", f"within two SD ({allowed:.4f})", best):
        printed.add_column(heading)
    for method, title in TITLES.items():
        found = [json.loads(file.read_text()) for file in sorted(folder.glob(f"{method}-*.json"))]
        if not found:
            continue
        needed = sorted(compute_to_reach(f, target) for f in found)
        near = [compute_to_reach(f, allowed) for f in found]
        fresh = [float(np.mean(f["again"])) - target for f in found]
        printed.add_row(
            title,
            str(len(found)),
            str(sum(map(math.isfinite, needed))),
            f"{_amount(float(np.median(needed)))} ({', '.join(map(_amount, needed))})",
            _amount(float(np.median(near))),
            f"{np.median(fresh):+.4f}",
        )
    console.print(printed, soft_wrap=False)
    console.print(
        f"The last column: mean of {len(FRESH)} fresh seeds of the search's best config, median of campaigns."
    )


def _amount(compute: float) -> str:
    return f"{compute:.1f}" if math.isfinite(compute) else "not reached"


def run(tasks: Iterable[Task], jobs: int, do: Callable[[Task], None] = perform) -> list[Task]:
    """Do what is not done yet, ``jobs`` at a time. Returns what that was."""
    left = [task for task in tasks if not task.file.exists()]
    with Workers(jobs) as pool:
        list(pool.map(do, left))
    return left


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing in the folder, and print its table."""
    parser = OneLineParser(
        prog="python -m benchmarks.reach_recorded",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=local_argument, metavar="FOLDER")
    parser.add_argument("--methods", default="", help=f"of {','.join(METHODS)}; left out: print what is there")
    parser.add_argument("--seeds", type=at_least_one, default=5, help="campaigns of each (default: %(default)s)")
    parser.add_argument("--steps", type=at_least_one, default=120, help="of a trial (default: %(default)s)")
    parser.add_argument(
        "--budget", type=positive("whole trials", 10**6), default=BUDGET, help="whole trials (default: %(default)s)"
    )
    parser.add_argument(
        "--jobs", type=at_least_one, default=1, help="campaigns at a time, a core each (default: %(default)s)"
    )
    given = parser.parse_args(arguments)
    methods = [name for name in given.methods.split(",") if name]
    try:
        for name in methods:
            if name not in METHODS:
                raise ValueError(f"unknown method {name!r}: {nearest(name, METHODS, 'methods')}")
        target = Task(given.folder, given.steps, given.budget)
        if not methods and not target.file.exists():
            raise ValueError(f"{given.folder} has no target.json: say which --methods to run")
        if target.file.exists() and (known := json.loads(target.file.read_text())["steps"]) != given.steps and methods:
            raise ValueError(f"{given.folder} was begun with --steps {known}")
    except ValueError as error:
        return parser.refuse(error)
    if methods:
        given.folder.mkdir(parents=True, exist_ok=True)
        run([target], 1)
        run([replace(target, method=name, seed=n) for n in range(given.seeds) for name in methods], given.jobs)
    print_report(Console(width=None if Console().is_terminal else 150), given.folder)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
    sys.exit(main())
