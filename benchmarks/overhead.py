"""Overhead of a trial, ours beside other systems' in the same run: ``python -m benchmarks.overhead``.

    python -m benchmarks.overhead --trials 100 1000
    python -m benchmarks.overhead --trials 10000 --systems "ours, driver alone"

Each searches parameter_golf at a size that trains in a tenth of a second, in two slots (``overhead_systems.py``), each
in a process of its own. ``a trial`` is the wall time between two ends in their second half, when all has started;
``last/first`` compares the last tenth of the trials with the second one. ``beyond`` are a worker's seconds on a trial
beside its steps: building it, and evaluating. The driver of Optuna is its workers. The load of the machine is that of
the minute before the row was done: where it is above the number of cores, others were at work.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.overhead")

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.overhead_systems import MOST_STEPS, STEPS, SYSTEMS
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one

HEADINGS = (
    "trials",
    "system",
    "a trial",
    "last/first",
    "driver CPU",
    "beyond",
    "driver MiB",
    "worker MiB",
    "files",
    "bytes a trial",
    "load",
)
TENTH = 10


def measured(system: str, trials: int, steps: int) -> dict[str, Any]:
    """Run a system in a process of its own, and return what it says of itself; a ValueError where that fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    environment[STEPS] = str(steps)
    with tempfile.TemporaryDirectory() as folder:
        run = "from benchmarks.overhead_systems import main; main()"
        command = [sys.executable, "-c", run, system, str(trials), folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"{system} failed: {(done.stderr.strip().splitlines() or ['without a word'])[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def a_trial(ends: Sequence[float]) -> float:
    """Seconds between two ends, in the second half of them."""
    half = len(ends) // 2
    return (ends[-1] - ends[half]) / (len(ends) - 1 - half)


def last_to_first(ends: Sequence[float]) -> float:
    """Seconds of the last tenth of the trials as a multiple of those of the second: in the first all is started."""
    tenth = len(ends) // TENTH
    return (ends[-1] - ends[-1 - tenth]) / (ends[2 * tenth] - ends[tenth])


def cells(system: str, trials: int, found: dict[str, Any]) -> list[str]:
    """A row of the table."""
    ends, grown = found["ends"], found.get("cpu_ends") or found["ends"]  # processor time is not disturbed by others

    def said(name: str, form: str, factor: float = 1.0) -> str:
        value = found.get(name)
        return "-" if value is None else format(value * factor, form)

    return [
        f"{trials:,}",
        system,
        f"{1000 * a_trial(ends):.0f} ms",
        f"{last_to_first(grown):.2f}",
        said("driver_cpu", ".0f", 1000 / trials) + " ms",
        said("beyond_training", ".0f", 1000) + " ms",
        said("driver_mib", ".0f"),
        said("worker_mib", ".0f"),
        f"{found['files']:,}",
        f"{found['bytes'] / trials:,.0f}",
        f"{os.getloadavg()[0]:.1f}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit code 2 for what is no good, and where a system fails."""
    parser = OneLineParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--trials", type=at_least_one, nargs="+", default=[100, 1000])
    parser.add_argument("--steps", type=at_least_one, default=MOST_STEPS, help="of a trial")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--lines", type=local_argument, help="keep every row here")
    given = parser.parse_args(arguments)
    try:
        if min(given.trials) < 3 * TENTH:
            raise ValueError(f"--trials {min(given.trials)} is too few to compare their tenths: at least {3 * TENTH}")
        if given.lines is not None:
            check_file_to_write("--lines", given.lines)
        table = Table(title="two slots", title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="left" if heading == "system" else "right")
        for trials in given.trials:
            for system in given.systems:
                row = cells(system, trials, measured(system, trials, given.steps))
                table.add_row(*row)
                if given.lines is not None:
                    with given.lines.open("a") as file:
                        file.write(json.dumps(dict(zip(HEADINGS, row, strict=True))) + "\n")
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    Console(width=140).print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
