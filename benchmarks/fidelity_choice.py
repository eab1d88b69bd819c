"""Comparison of fidelities by how well they predict the end: ``python -m benchmarks.fidelity_choice [--quick]``.

Configs drawn at random from parameter_golf's proxy are trained to their end, once with branches (which leave the run
itself as it is, so that its own values on the way are those of truncate) and once in short schedules of their own. The
tables are those of ``results.fidelity``; their last column is the training beside the run until there, in budgets.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.fidelity_choice")

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
import torch

import search_spaces
from results.fidelity import print_rungs
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one, positive, whole_number
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import Dataset
from trainable.data.preparation import prepare
from trainable.report import Report
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.seeds import SEEDS
from trainable.worker.fidelity import Branch, Complete, Fidelity
from tuner.early_stopping import rungs
from tuner.proposals.sampler import Sampler

Row = tuple[str, str, float, float, float, float]
COLUMNS = ("trial", "group", "part", "value", "final", "cost")


def configs(steps: int, seed: int) -> Iterator[TrainConfig]:
    """Random valid configs of the proxy, without end; none is told, so that none is better liked than another."""
    space = search_spaces.load("parameter_golf")
    base = replace(space.scale("proxy").base, budget=Budget(steps=steps))
    sampler = Sampler(space, space.values_of(base), seed)
    while True:
        asked = sampler.ask()
        sampler.tell(asked.number, "interrupted", None)
        try:
            yield space.config(base, asked.values)
        except ValueError:
            continue  # values that make no valid run


def rows_of(config: TrainConfig, dataset: Dataset) -> dict[str, list[Row]] | None:
    """Fidelity -> its rows for ``results.fidelity``; None where the run diverged."""
    milestones = [float(rung) for rung in rungs(config.budget)]
    branched = reports(Branch, config, dataset, milestones)
    short = reports(Complete, config, dataset, milestones, until=milestones[-1])
    final = branched[-1].val_loss
    if branched[-1].status != "completed" or short[-1].status != "running" or final is None:
        return None
    key, kind, budget = config.key(dataset.fingerprint), type(config.schedule).__name__, config.budget.amount
    found: dict[str, list[Row]] = {"truncate": [], "complete": [], "branch": []}
    for branch, complete in zip(branched[:-1], short, strict=True):
        part = round(branch.milestone / budget, 2)
        assert branch.val_loss is not None and complete.val_loss is not None
        values = {
            "truncate": (branch.logged["val_loss_before_decay"], 0.0),
            "complete": (complete.val_loss, complete.extra["spent"] / budget),
            "branch": (branch.val_loss, branch.extra["spent"] / budget),
        }
        for name, (value, cost) in values.items():
            found[name].append((key, kind, part, value, final, cost))
    return found


def reports(
    kind: type[Fidelity], config: TrainConfig, dataset: Dataset, milestones: list[float], until: float | None = None
) -> list[Report]:
    """Collect what a trial reports, up to the milestone ``until`` or to its end."""
    found: list[Report] = []
    for report in kind(config, partial(Run.start, dataset=dataset, runtime=Runtime()), milestones).reports():
        found.append(report)
        if report.milestone == until:
            break
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and print the tables, also of what is there when the minutes are over."""
    parser = OneLineParser(prog="python -m benchmarks.fidelity_choice", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="60 steps instead of 120")
    parser.add_argument(
        "--configs", type=at_least_one, default=16, help="how many that do not diverge (default: %(default)s)"
    )
    parser.add_argument(
        "--minutes",
        type=positive("minutes", 10**6),
        default=25.0,
        help="start no config after these (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=whole_number(0, SEEDS - 1, "0..2^63-1"), default=1, help="of the draws (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    console, started = Console(width=120, goes_on=True), time.monotonic()
    rows: dict[str, list[Row]] = {"truncate": [], "complete": [], "branch": []}
    done, diverged, dataset = 0, 0, None
    for config in configs(60 if options.quick else 120, options.seed):
        dataset = dataset or prepare(config.data)
        if done == options.configs or time.monotonic() - started > 60 * options.minutes:
            break
        found = rows_of(config, dataset)
        diverged += found is None
        done += found is not None
        for name, new in (found or {}).items():
            rows[name] += new
    console.print(f"{done} configs came to their end, {diverged} diverged ({time.monotonic() - started:.0f} s)")
    for name, known in rows.items():
        print_rungs(console, name, pd.DataFrame(known, columns=list(COLUMNS)))


if __name__ == "__main__":
    main()
