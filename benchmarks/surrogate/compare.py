"""Samplers on campaigns of surrogate trainings, in device seconds: ``python -m benchmarks.surrogate.compare``.

    python -m benchmarks.surrogate.compare --seeds 30 --slots 1 8 64 --lines compared.jsonl

A campaign is measured where its runs have taken as long as 50, 100 and 200 runs of the base. Both surrogates are used,
one of trees and a smooth one: a method that is better on one alone is not better. With ``--lines`` every campaign is
kept as soon as it has ended, and a file that exists is gone on with. Two of the methods need packages that the product
does not: ``pip install scipy cmaes``.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.compare")

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from rich.table import Table
from scipy.stats import mannwhitneyu

from benchmarks.surrogate import campaigns, models, small_spaces, trainings
from benchmarks.surrogate.device import Device
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.nearest import nearest
from terminal.option_numbers import at_least_one

MARKS = (50, 100, 200)  # runs of the base
SEEDS, SLOTS = 30, (1, 8, 64)
FEWEST = 200  # completed runs, under which the surrogates know too little to put samplers in order

Line = dict[str, Any]


def campaign(device: Device, name: str, slots: int, seed: int) -> Line:
    """One campaign, as it is kept."""
    base = device.base_seconds
    method = campaigns.methods()[name](device, seed)
    trace = campaigns.run(device, method, slots, MARKS[-1] * base, seed)
    trained = sum(status == "completed" for status in trace.statuses)
    return {
        "model": device.kind,
        "method": name,
        "slots": slots,
        "seed": seed,
        "best": [trace.best_at(mark * base) for mark in MARKS],
        "trials": len(trace.statuses),
        "failed": 1 - trained / len(trace.statuses),
        "proposing": trace.proposing / len(trace.statuses),
    }


def summary(lines: Sequence[Line], model: str, slots: int, first: str) -> Table:
    """A table of medians and quartiles, with the chance (Mann-Whitney) that a method and the first one are level."""
    printed = Table(title=f"{model}, {slots} slots", title_justify="left")
    for heading in (
        "method",
        "seeds",
        *(f"best at {mark}" for mark in MARKS),
        "level at the end",
        "failed",
        "s an ask",
    ):
        printed.add_column(heading)
    here = [line for line in lines if line["model"] == model and line["slots"] == slots]
    by_method: dict[str, list[Line]] = {}
    for line in here:
        by_method.setdefault(line["method"], []).append(line)
    reference = np.array([line["best"] for line in by_method.get(first, [])])
    for name, found in by_method.items():
        best = np.array([line["best"] for line in found])
        cells = [
            "{1:.4f} ({0:.4f}..{2:.4f})".format(*np.nanquantile(best[:, at], [0.25, 0.5, 0.75]))
            for at in range(len(MARKS))
        ]
        level = "-" if name == first or not len(reference) else f"{_level(best[:, -1], reference[:, -1]):.2g}"
        failed, asked = (np.mean([line[key] for line in found]) for key in ("failed", "proposing"))
        printed.add_row(name, str(len(found)), *cells, level, f"{failed:.0%}", f"{asked:.3f}")
    return printed


def _level(one: np.ndarray, other: np.ndarray) -> float:
    return float(mannwhitneyu(one, other).pvalue)


def read(path: Path | None) -> list[Line]:
    """The campaigns of a file, if there is one."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path is not None and path.exists() else []


def is_done(lines: Sequence[Line], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a campaign is among those kept."""
    return any(all(line[key] == value for key, value in wanted.items()) for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaigns that are not kept yet and print the tables; exit code 2 for what is no good."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.compare", description=__doc__)
    parser.add_argument("--file", type=local_argument, default=trainings.FILE, help="the table, or a recording's lines")
    parser.add_argument("--space", default="parameter_golf")
    parser.add_argument("--seeds", type=at_least_one, default=SEEDS)
    parser.add_argument("--slots", type=at_least_one, nargs="+", default=list(SLOTS))
    parser.add_argument("--methods", nargs="+", default=list(campaigns.methods()), metavar="METHOD")
    parser.add_argument("--lines", type=local_argument, help="keep every campaign here")
    given = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    console = Console(width=150)
    try:
        check_methods(given.methods)
        if given.lines is not None:
            check_file_to_write("--lines", given.lines)
        small, runs = small_spaces.load(given.space), trainings.read(given.space, given.file)
        check_enough(runs)
        devices = [Device(small, runs, kind) for kind in models.KINDS]
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    lines = read(given.lines)
    for seed, slots, device, name in itertools.product(range(given.seeds), given.slots, devices, given.methods):
        if not is_done(lines, {"model": device.kind, "method": name, "slots": slots, "seed": seed}):
            lines.append(campaign(device, name, slots, seed))
            keep(given.lines, lines[-1])
    for device in devices:
        for slots in given.slots:
            console.print(summary(lines, device.kind, slots, given.methods[0]))
    explain(console, devices)
    return 0


def check_enough(runs: Sequence[trainings.Training]) -> None:
    """Raise a ValueError for too few recorded runs."""
    completed = sum(run.completed for run in runs)
    if completed < FEWEST:
        raise ValueError(
            f"{completed} recorded runs were completed but a comparison needs at least {FEWEST}: record more, with "
            "python -m benchmarks.surrogate.record"
        )


def check_methods(names: Sequence[str]) -> None:
    """Raise a ValueError for a method that there is not."""
    for name in names:
        if name not in campaigns.methods():
            raise ValueError(f"there is no method {name!r}: {nearest(name, list(campaigns.methods()), 'methods')}")


def keep(path: Path | None, line: Line) -> None:
    """Append a campaign to a file, if there is one."""
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def explain(console: Console, devices: Sequence[Device]) -> None:
    """Print how the tables are read."""
    bases = ", ".join(f"{d.kind} {d.expected(d.small.space.values_of(d.small.base)):.4f}" for d in devices)
    console.print(
        "best at N: what the config with the lowest measured end is expected to have over seeds, once the campaign has "
        f"used the device seconds of N runs of the base; median and quartiles. The base: {bases}."
    )
    console.print(
        "level at the end: p of a Mann-Whitney test against the first method. failed: of all trials; out of memory "
        "costs a tenth of a run of the base, no valid run nothing. s an ask: CPU seconds of proposing and being told."
    )


if __name__ == "__main__":
    raise SystemExit(main())
