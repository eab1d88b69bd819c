"""CPU seconds until a command that only looks has answered: ``python -m benchmarks.start_seconds``.

Of each command the median of some runs, user and system time of the whole process, as seconds and as a multiple of an
interpreter that does nothing, measured in the same run. ``python -X importtime`` shows which import takes them.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.start_seconds")

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one

ROOT = Path(__file__).parents[1]
REPLAY = "results/recorded/parameter_golf"
GOLF = ("-m", "tuner.run", "--space", "parameter_golf")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("-m", "tuner.run", "--help"),
    ("-m", "tuner.run", "--list"),
    ("-m", "tuner.run", "--list", "--space", "parameter_golf"),
    (*GOLF, "--show", "H1"),
    (*GOLF, "--show", "A*"),
    (*GOLF, "--dry-run", "--no-audit"),
    (*GOLF, "--dry-run"),
    ("-m", "tuner.run", "--trials", "0"),
    ("-m", "tuner.run", "--space", "parameter_gulf"),
    (*GOLF, "--set", "model.layers=3"),
    ("-m", "tuner.status", REPLAY),
    ("-m", "results.report", REPLAY),
    ("-m", "results.fidelity", REPLAY),
    ("-m", "results.compare", REPLAY, "--picture", "PICTURE"),
    ("-c", "import tuner"),
    ("-c", "import results"),
    ("-c", "import trainable.config"),
    ("-c", "import tuner.run"),
)


def cpu_seconds(arguments: Sequence[str]) -> float:
    """User and system seconds of one process of this Python, and of those that it has waited for."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *(argument.replace("PICTURE", f"{folder}/p.png") for argument in arguments)]
        started = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode not in (0, 2):  # 2: bad input, which is measured here too
        raise ValueError(f"{' '.join(arguments)} ended with exit code {started.returncode}")
    return used.ru_utime + used.ru_stime


def median(arguments: Sequence[str], runs: int) -> float:
    """Take the median of the runs, after one that fills the file system's cache."""
    cpu_seconds(arguments)
    return statistics.median(cpu_seconds(arguments) for _ in range(runs))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Exit code 2 and one line where a command fails."""
    parser = OneLineParser(prog="python -m benchmarks.start_seconds", description="CPU seconds of commands that look.")
    parser.add_argument("--runs", type=at_least_one, metavar="N", default=5, help="of each command (default: 5)")
    runs = parser.parse_args(arguments).runs
    table = Table("command", "CPU seconds", "x python -c pass", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    try:
        least = median(("-c", "pass"), runs)
        for command in COMMANDS:
            seconds = median(command, runs)
            table.add_row(" ".join(command), f"{seconds:.2f}", f"{seconds / least:.0f}")
    except ValueError as error:
        return parser.refuse(error)
    table.add_row("-c pass", f"{least:.3f}", "1")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
