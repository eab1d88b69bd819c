"""Errors of the surrogates on configs that they have not seen: ``python -m benchmarks.surrogate.hold_out``.

Runs of one config are held out together (five folds), so that a replicate tells nothing. The noise beside the error is
the standard deviation over seeds: no model can do better on single runs.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.hold_out")

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rich.table import Table
from scipy.stats import spearmanr

from benchmarks.surrogate import models, small_spaces, trainings
from benchmarks.surrogate.device import NUM_RUNGS, Device, held_out
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console


def regions(ends: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of all runs, of the better half and of the best tenth, by their ends."""
    return {
        "all": np.ones(len(ends), dtype=bool),
        "better half": ends <= np.median(ends),
        "best tenth": ends <= np.quantile(ends, 0.1),
    }


def noise_of_seeds(device: Device, ends: np.ndarray, rows: np.ndarray) -> float:
    """Pooled standard deviation of ends over seeds, of configs with several runs among ``rows``; NaN without any."""
    squares, degrees = 0.0, 0
    for group in np.unique(device.groups[rows]):
        members = ends[(device.groups == group) & rows]
        squares += float(((members - members.mean()) ** 2).sum())
        degrees += len(members) - 1
    return float(np.sqrt(squares / degrees)) if degrees else float("nan")


def errors(device: Device) -> list[tuple[str, int, float, float, float, float]]:
    """Region, runs, noise of seeds, root mean square error, its share of the spread, rank correlation: of the ends."""
    ends = device.warp.inverse(device.outputs)[:, -1]
    guessed = device.warp.inverse(device.held_out)[:, -1]
    found = []
    for name, rows in regions(ends).items():
        error = float(np.sqrt(((guessed - ends)[rows] ** 2).mean()))
        order = float(spearmanr(guessed[rows], ends[rows]).statistic)
        noise = noise_of_seeds(device, ends, rows)
        found.append((name, int(rows.sum()), noise, error, error / float(ends[rows].std()), order))
    return found


def rungs(device: Device) -> list[tuple[float, float, float]]:
    """Part of a run, and the rank correlation of values there with the ends: as recorded, and as it is played."""
    runs = device.warp.inverse(device.outputs)[:, -NUM_RUNGS:]
    outcomes = [device.train(point, seed=number) for number, point in enumerate(device.points)]
    played = np.array([outcome.rungs for outcome in outcomes if outcome.final is not None])
    return [
        (
            part,
            float(spearmanr(runs[:, at], runs[:, -1]).statistic),
            float(spearmanr(played[:, at], played[:, -1]).statistic),
        )
        for at, part in enumerate(small_spaces.RUNGS[:-1])
    ]


def seconds_error(device: Device, seconds: np.ndarray) -> float:
    """The median part by which the seconds of a recorded run are missed by trees that have not seen its config."""
    guessed = np.exp(held_out("trees", device.inputs, np.log(seconds)[:, None], device.groups, seed=0))[:, 0]
    return float(np.median(np.abs(guessed / seconds - 1)))


def show(console: Console, name: str, device: Device, seconds: np.ndarray) -> None:
    """Print what is known of one surrogate, beside the ``seconds`` of the completed runs."""
    printed = Table(title=f"{name}, {device.kind}", title_justify="left")
    for heading in ("runs", "how many", "noise of seeds", "error", "error / spread", "rank correlation"):
        printed.add_column(heading)
    for region, count, noise, error, share, order in errors(device):
        printed.add_row(region, f"{count:,}", f"{noise:.4f}", f"{error:.4f}", f"{share:.2f}", f"{order:.2f}")
    console.print(printed)
    for part, recorded, played in rungs(device):
        console.print(f"  after {part:g} of a run: rank correlation with the end {recorded:.2f}; played {played:.2f}")
    console.print(f"  seconds: half of the runs held out are missed by at most {seconds_error(device, seconds):.1%}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the errors of both kinds; exit code 2 where the data cannot be used."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.hold_out", description=__doc__)
    parser.add_argument("--file", type=local_argument, default=trainings.FILE, help="the table, or a recording's lines")
    parser.add_argument("--space", default="parameter_golf")
    given = parser.parse_args(arguments)
    console = Console(width=120)
    try:
        small, runs = small_spaces.load(given.space), trainings.read(given.space, given.file)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    counts = Counter(run.status for run in runs)
    console.print(f"{given.space}: {len(runs):,} rows: " + ", ".join(f"{n:,} {status}" for status, n in counts.items()))
    seconds = np.array([run.seconds for run in runs if run.completed])
    for kind in models.KINDS:
        try:
            show(console, given.space, Device(small, runs, kind), seconds)
        except ValueError as error:
            return parser.refuse(error)
    console.print(
        "error: root mean square of what a model that has not seen a config misses its run by; noise of seeds: the "
        "standard deviation of runs of one config; rank correlation: of what is expected with what was recorded."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
