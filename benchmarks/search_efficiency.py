"""Regret against spent compute on tables of recorded curves: ``python -m benchmarks.search_efficiency TABLE...``.

    python -m benchmarks.search_efficiency ../shared/data/nanogpt_shakespeare_128 --quick

A TABLE is the folder ``nanogpt_shakespeare_128`` or ``modded_nanogpt``, a file of ``benchmarks.record_table`` or a
campaign's folder. Every method begins with the table's base, has the same slots, and is charged for what its trials
train; regret is that of the best trial trained to its end, against the table's best. Our sampler was chosen on seeds
from 0 up: with ``--holdout`` seeds start at 1000, and a table that was not used for choosing may be given. Syne Tune's
rows need an interpreter of their own (``--syne-tune PYTHON``, see syne_tune_worker.py); without it they are left out.

With ``--samplers`` the other tools make way for our own search with Optuna's other samplers. Two of them need packages
that nothing else here does: ``pip install scipy cmaes``. With ``--stoppers`` it is our own search with each of its
rules of early stopping.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.search_efficiency")

import argparse
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import optuna
import pandas as pd
from rich.table import Table as Printed

from benchmarks import rivals, tables
from benchmarks.simulator import Ours, Trace, simulate
from results.statistics.leaderboard import rank_correlation
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one, positive
from tuner.early_stopping import DEFAULT_STOPPER, STOPPERS
from tuner.proposals.first_points import STARTUP_TRIALS
from tuner.proposals.sampler import Sampler

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SLOTS, BUDGET, SEEDS = 4, 30.0, 30
QUICK_SEEDS, QUICK_BUDGET = 5, 15.0
HELD_OUT = 1000  # the first seed that was never looked at while choosing
OURS = "ours"


def proposing(make: Callable[[int], optuna.samplers.BaseSampler]) -> type[Sampler]:
    """Our search with the points of another sampler, which is made from a seed."""

    class Other(Sampler):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.study.sampler = make(arguments[2])

    return Other


def at_random(seed: int) -> optuna.samplers.BaseSampler:
    """Random points."""
    return optuna.samplers.RandomSampler(seed=seed)


def samplers(table: tables.Table) -> dict[str, Callable[[int], Any]]:
    """Our search with each of Optuna's samplers that can take this kind of space: name -> seed -> driver."""
    kinds: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
        "random points": at_random,
        "TPE, each knob alone": lambda seed: optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=STARTUP_TRIALS, constant_liar=True
        ),
        # What OptunaHub's AutoSampler is wherever a knob is a choice or has a condition, which all our spaces have.
        "AutoSampler's TPE": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True),
        "GP": lambda seed: optuna.samplers.GPSampler(
            seed=seed, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False
        ),
        "CMA-ES": lambda seed: optuna.samplers.CmaEsSampler(
            seed=seed, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False
        ),
    }
    found: dict[str, Callable[[int], Any]] = {OURS: lambda seed: Ours(table, seed, SLOTS)}
    for name, make in kinds.items():
        found[name] = lambda seed, make=make: Ours(table, seed, SLOTS, make_sampler=proposing(make))
    return found


def stoppers(table: tables.Table) -> dict[str, Callable[[int], Any]]:
    """Our search with each of its rules of early stopping: that of new searches is called ours."""
    names = {OURS: DEFAULT_STOPPER, **{name: name for name in STOPPERS if name != DEFAULT_STOPPER}}
    return {shown: lambda seed, name=name: Ours(table, seed, SLOTS, name) for shown, name in names.items()}


def methods(table: tables.Table, syne_tune: str | None) -> dict[str, Callable[[int], Any]]:
    """Name -> seed -> driver."""
    tpe = optuna.samplers.TPESampler
    found: dict[str, Callable[[int], Any]] = {
        OURS: lambda seed: Ours(table, seed, SLOTS),
        "random": lambda seed: Ours(table, seed, SLOTS, "none", proposing(at_random)),
        "Optuna TPE": lambda seed: rivals.OptunaAlone(table, seed, tpe(seed=seed)),
        "Optuna TPE + Hyperband": lambda seed: rivals.OptunaAlone(
            table, seed, tpe(seed=seed), optuna.pruners.HyperbandPruner(min_resource=1, max_resource=tables.PARTS)
        ),
        "Ray OptunaSearch + ASHA": lambda seed: rivals.RayDefaults(table, seed),
    }
    for name in ("ASHA", "BOHB") if syne_tune else ():
        found[f"Syne Tune {name}"] = lambda seed, name=name: rivals.SyneTune(table, seed, name, str(syne_tune))
    return found


def run(make: Callable[[int], Any], table: tables.Table, seeds: range, budget: float) -> list[Trace]:
    """One campaign for each seed."""
    found = []
    for seed in seeds:
        driver = make(seed)
        with closing(driver) if hasattr(driver, "close") else nullcontext():
            found.append(simulate(table, driver, SLOTS, budget))
    return found


def regrets(table: tables.Table, traces: list[Trace], grid: np.ndarray) -> np.ndarray:
    """(seeds, grid): regret at each amount of compute; the worst final value of the table before there is any."""
    worst = max(row.final for row in table.rows if math.isfinite(row.final))
    return np.array([[min(worst, trace.best_at(c)) - table.best for c in grid] for trace in traces])


def compute_to_reach(regret: np.ndarray, grid: np.ndarray, target: float) -> float:
    """The least compute after which the median regret is at most ``target``; infinity where it never is."""
    there = np.median(regret, axis=0) <= target + 1e-9
    return float(grid[int(np.argmax(there))]) if there.any() else math.inf


def foretold(table: tables.Table) -> str:
    """Describe how well values on the way order the ends of a table's runs."""
    whole = pd.DataFrame([row.curve for row in table.rows if math.isfinite(row.final)])
    found = [rank_correlation(whole[part - 1], whole[tables.PARTS - 1], len(whole)) for part in (2, 4)]
    at = ", ".join("-" if one is None else f"{one.value:.2f}" for one in found)
    return f"rank correlation of values at 2/9 and 4/9 with the end: {at}"


def print_table(console: Console, table: tables.Table, found: dict[str, np.ndarray], grid: np.ndarray) -> None:
    """Medians and quartiles of regret, and our compute against each method's."""
    marks = [grid[-1] / 3, grid[-1] * 2 / 3, grid[-1]]
    about = f"{table.name}: {len(table.rows)} rows, {len(table.space.knobs)} knobs; {foretold(table)}"
    printed = Printed(title=about, title_justify="left")
    for heading in (
        "method",
        *(f"regret at {mark:.0f}" for mark in marks),
        "compute of ours for the same (at 1/3, 2/3, 1)",
    ):
        printed.add_column(heading)
    for name, regret in found.items():
        cells, shares = [], []
        for mark in marks:
            at = int(np.searchsorted(grid, mark - 1e-9))
            low, middle, high = np.quantile(regret[:, at], [0.25, 0.5, 0.75])
            cells.append(f"{middle:.4f} ({low:.4f}..{high:.4f})")
            theirs = compute_to_reach(regret, grid, middle)
            ours = compute_to_reach(found[OURS], grid, middle)
            shares.append(f"{ours / theirs:.2f}" if math.isfinite(ours) else "never")
        printed.add_row(name, *cells, "-" if name == OURS else ", ".join(shares))
    console.print(printed, soft_wrap=False)


def explain(console: Console, seeds: str) -> None:
    """Print how the tables are read."""
    console.print("A method a row. Compute is in whole trials: 10 is what 10 trials cost that train to their end.")
    console.print(
        "regret at C: the objective of the best trial that the method has trained to its end with C of compute, minus "
        f"that of the table's best row (before there is one: the table's worst end); the median of {seeds}, and its "
        "quartiles. 0 is the best row found."
    )
    console.print("rank correlation: how well values on the way order the ends; at 1, early stopping never errs.")
    console.print(
        "compute of ours for the same: what ours has spent when its median regret is as low as this method's at C, "
        "divided by what this method has spent: 0.50 is half of it, above 1 it is slower; never: not within the budget."
    )


def draw(path: Path, everything: dict[str, dict[str, np.ndarray]], grid: np.ndarray) -> None:
    """A panel for each table: median regret, and the quartiles as a band."""
    figure, axes = plt.subplots(
        1, len(everything), figsize=(7 * len(everything), 5), squeeze=False, layout="constrained"
    )
    for axis, (title, found) in zip(axes[0], everything.items(), strict=True):
        for name, regret in found.items():
            low, middle, high = np.quantile(regret, [0.25, 0.5, 0.75], axis=0)
            (line,) = axis.plot(grid, middle, label=name, linewidth=2.5 if name == OURS else 1.2)
            axis.fill_between(grid, low, high, color=line.get_color(), alpha=0.12)
        axis.set(
            title=title, xlabel="compute (whole trials)", ylabel="regret of the best finished trial", yscale="symlog"
        )
        axis.set_yscale("symlog", linthresh=0.01)
    axes[0][-1].legend()
    figure.savefig(path, dpi=120)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print and draw each table; exit code 2 where one cannot be read."""
    parser = OneLineParser(
        prog="python -m benchmarks.search_efficiency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tables", nargs="+", type=local_argument, metavar="TABLE")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds, half the budget")
    parser.add_argument("--seeds", type=at_least_one)
    parser.add_argument(
        "--budget", type=positive("whole trials", 10**6), help="compute of one campaign, in whole trials"
    )
    parser.add_argument("--holdout", action="store_true", help="seeds that were not used for choosing our defaults")
    parser.add_argument("--syne-tune", metavar="PYTHON", help="an interpreter that has syne-tune 0.16")
    parser.add_argument("--samplers", action="store_true", help="compare Optuna's samplers inside our own search")
    parser.add_argument("--stoppers", action="store_true", help="compare the rules of early stopping in our own search")
    parser.add_argument("--picture", type=local_argument, default=Path("search_efficiency.png"))
    given = parser.parse_args(arguments)
    try:
        check_file_to_write("--picture", given.picture)
    except ValueError as error:
        return parser.refuse(error)
    count = given.seeds or (QUICK_SEEDS if given.quick else SEEDS)
    budget = given.budget or (QUICK_BUDGET if given.quick else BUDGET)
    first = HELD_OUT if given.holdout else 0
    grid, everything = np.arange(1, 2 * budget + 1) / 2, {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    progress = Console(stderr=True)
    console = Console(width=None if Console().is_terminal else 170, goes_on=True)
    for path in given.tables:
        try:
            table = tables.read(path)
        except (OSError, ValueError) as error:
            return parser.refuse(ValueError(f"{path}: {error}"))
        found = {}
        if given.samplers or given.stoppers:
            compared = samplers(table) if given.samplers else stoppers(table)
        else:
            compared = methods(table, given.syne_tune)
        for name, make in compared.items():
            started = time.process_time()
            found[name] = regrets(table, run(make, table, range(first, first + count), budget), grid)
            progress.print(f"{table.name}: {name}: {time.process_time() - started:.0f} s of CPU")
        print_table(console, table, found, grid)
        everything[table.name] = found
    draw(given.picture, everything, grid)
    explain(console, f"{count} seeds from {first}, {SLOTS} slots")
    console.print(f"Picture: {given.picture}")
    if given.syne_tune is None and not (given.samplers or given.stoppers):
        console.print(
            "Syne Tune's methods were left out: give --syne-tune PYTHON (benchmarks/syne_tune_worker.py says how)"
        )
    return 0


if __name__ == "__main__":
    os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
    sys.exit(main())
