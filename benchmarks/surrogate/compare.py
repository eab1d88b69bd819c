"""Samplers on campaigns of surrogate trainings, in device seconds: ``python -m benchmarks.surrogate.compare``.

    python -m benchmarks.surrogate.compare --seeds 30 --slots 1 8 64 --lines compared.jsonl
    python -m benchmarks.surrogate.compare --slots 2 --trials 24 --methods "ours, gp" "ours, tpe, random first"

A campaign is measured where its runs have taken as long as 50, 100 and 200 runs of the base; with ``--trials``, after
so many trials and half of them. Both surrogates are used, one of trees and a smooth one: a method that is better on one
alone is not better. With ``--halves`` there are two of each, fitted on one half of the recorded configs and on the
other: what was chosen on all of them can be looked at where each surrogate knows only a part, and searches may start
from what the other part has ("ours, gp, unseen" and two wrong priors: ``priors.py``). ``--keep`` leaves knobs
at the base: without those of size nothing runs out of memory. With ``--lines`` every campaign is kept as soon as it has
ended, and a file that exists is gone on with. Two of the methods need packages that the product does not (``pip install
scipy cmaes``), others an interpreter of their own (``--peers``, see peers_worker.py).
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.compare")

import importlib.util
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import optuna
from rich.table import Table
from scipy.stats import mannwhitneyu

from benchmarks.surrogate import campaigns, models, small_spaces, trainings
from benchmarks.surrogate import peers as peers_of
from benchmarks.surrogate.device import Device
from benchmarks.surrogate.priors import NEED_HALVES
from benchmarks.surrogate.small_spaces import SmallSpace
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.nearest import nearest
from terminal.option_numbers import at_least_one

RUNS = (50, 100, 200)  # of the base
CURVE = tuple(range(5, 201, 5))  # runs of the base after which the picture has a point
NEEDED = {"Optuna CMA-ES": ("cmaes",), "Optuna GP": ("scipy",)}
SEEDS, SLOTS = 30, (1, 8, 64)
FEWEST = 200  # completed runs, under which the surrogates know too little to put samplers in order

Line = dict[str, Any]


@dataclass(frozen=True)
class Marks:
    """Moments at which a campaign is measured: after the seconds of so many runs of the base, or so many trials."""

    trials: int | None = None

    @property
    def at(self) -> tuple[int, ...]:
        return RUNS if self.trials is None else (self.trials // 2, self.trials)

    def played(self, device: Device, method: campaigns.Method, slots: int, seed: int) -> campaigns.Trace:
        """A campaign that is long enough."""
        if self.trials is not None:
            return campaigns.run(device, method, slots, math.inf, seed, self.trials)
        return campaigns.run(device, method, slots, RUNS[-1] * device.base_seconds, seed)

    def best(self, device: Device, trace: campaigns.Trace) -> list[float]:
        if self.trials is not None:
            return [trace.best_after(trials) for trials in self.at]
        return [trace.best_at(runs * device.base_seconds) for runs in self.at]


def campaign(device: Device, wanted: Mapping[str, Any], marks: Marks, peers: str | None = None) -> Line:
    """One campaign, as it is kept: of a method, by a number of slots, with a seed."""
    method = campaigns.methods(peers)[wanted["method"]](device, wanted["seed"])
    with closing(method) if hasattr(method, "close") else nullcontext():
        trace = marks.played(device, method, wanted["slots"], wanted["seed"])
    failed = sum(status not in ("completed", campaigns.STOPPED) for status in trace.statuses)
    return {
        **wanted,
        "best": marks.best(device, trace),
        "curve": [trace.best_at(runs * device.base_seconds) for runs in CURVE] if marks.trials is None else None,
        "trials": len(trace.statuses),
        "runs_of_base": trace.seconds[-1] / device.base_seconds,
        "failed": failed / len(trace.statuses),
        "proposing": trace.proposing / len(trace.statuses),
    }


def summary(lines: Sequence[Line], model: str, slots: int, first: str, marks: Marks) -> Table:
    """A table of medians and quartiles, with the chance (Mann-Whitney) that a method and the first one are level."""
    printed = Table(title=f"{model}, {slots} slots", title_justify="left")
    for heading in (
        "method",
        "seeds",
        *(f"best at {mark}" for mark in marks.at),
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
            for at in range(len(marks.at))
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
    parser.add_argument("--methods", nargs="+", default=without_unseen(campaigns.methods()), metavar="METHOD")
    parser.add_argument("--trials", type=at_least_one, help="measure after so many trials in place of device time")
    parser.add_argument("--keep", nargs="+", default=[], metavar="PATH", help="knobs that are left at the base")
    parser.add_argument("--halves", action="store_true", help="surrogates of one half of the configs, and of the other")
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter that has SMAC3, Syne Tune or NePS")
    parser.add_argument("--lines", type=local_argument, help="keep every campaign here")
    given = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    console, marks = Console(width=150), Marks(given.trials)
    try:
        if given.lines is not None:
            check_file_to_write("--lines", given.lines)
        check_methods(given.methods, given.peers, given.halves)
        runs = trainings.read(given.space, given.file)
        check_enough(runs)
        devices = made(known_knobs(small_spaces.load(given.space), given.keep), runs, given.halves, given.keep)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    lines = read(given.lines)
    for seed, slots, model, name in itertools.product(range(given.seeds), given.slots, devices, given.methods):
        wanted = {"model": model, "method": name, "slots": slots, "seed": seed, "marks": list(marks.at)}
        if not is_done(lines, wanted):
            lines.append(campaign(devices[model], wanted, marks, given.peers))
            keep(given.lines, lines[-1])
    for model in devices:
        for slots in given.slots:
            console.print(summary(lines, model, slots, given.methods[0], marks))
    explain(console, devices, marks)
    return 0


def without_unseen(names: Iterable[str]) -> list[str]:
    """The methods that need no half of the recording to have been left out."""
    return [name for name in names if name.rpartition(", ")[2] not in NEED_HALVES]


def known_knobs(small: SmallSpace, paths: Sequence[str]) -> SmallSpace:
    """The space itself; a ValueError for a path that is no knob of it."""
    for path in paths:
        small.space.knob(path)
    return small


def made(small: SmallSpace, runs: Sequence[trainings.Training], halves: bool, kept: Sequence[str]) -> dict[str, Device]:
    """The devices by name: of both kinds of model, fitted on all runs or on each half of the configs."""
    if not halves:
        return {kind: Device(small, runs, kind, kept=kept) for kind in models.KINDS}
    parts = {"one half": 0, "other half": 1}
    chosen = {name: [r for r in runs if crc32(r.config.encode()) % 2 == part] for name, part in parts.items()}
    others = dict(zip(chosen, reversed(chosen.values()), strict=True))
    return {
        f"{kind}, {name}": Device(small, part, kind, kept=kept, unseen=others[name])
        for name, part in chosen.items()
        for kind in models.KINDS
    }


def check_enough(runs: Sequence[trainings.Training]) -> None:
    """Raise a ValueError for too few recorded runs."""
    completed = sum(run.completed for run in runs)
    if completed < FEWEST:
        raise ValueError(
            f"{completed} recorded runs were completed but a comparison needs at least {FEWEST}: record more, with "
            "python -m benchmarks.surrogate.record"
        )


def check_methods(names: Sequence[str], peers: str | None, halves: bool) -> None:
    """Raise a ValueError for a method that there is not, and for a prior of unseen trainings where all are seen."""
    known = list(campaigns.methods(peers))
    for name in names:
        if peers is None and name in peers_of.METHODS:
            raise ValueError(f"{name} runs in an interpreter of its own: name it with --peers PYTHON")
        for package in NEEDED.get(name, ()):
            if importlib.util.find_spec(package) is None:
                raise ValueError(f"{name} needs the package {package}: pip install {package}, or name other --methods")
        if name not in known:
            raise ValueError(f"there is no method {name!r}: {nearest(name, known, 'methods')}")
        if not halves and name.rpartition(", ")[2] in NEED_HALVES:
            raise ValueError(f"{name} needs trainings that the surrogate has not seen: give --halves")


def keep(path: Path | None, line: Line) -> None:
    """Append a campaign to a file, if there is one."""
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def explain(console: Console, devices: Mapping[str, Device], marks: Marks) -> None:
    """Print how the tables are read."""
    bases = ", ".join(f"{name} {d.expected(d.base_point):.4f}" for name, d in devices.items())
    when = (
        "the campaign has used the device seconds of N runs of the base" if marks.trials is None else "N trials ended"
    )
    console.print(
        "best at N: what the config with the lowest measured end is expected to have over seeds, once "
        f"{when}; median and quartiles. The base: {bases}."
    )
    console.print(
        "level at the end: p of a Mann-Whitney test against the first method. failed: of all trials; out of memory "
        "costs a tenth of a run of the base, no valid run nothing. s an ask: CPU seconds of proposing and being told."
    )


if __name__ == "__main__":
    raise SystemExit(main())
