"""Rank correlations of recorded curves with their ends: ``python -m benchmarks.fidelity_curves TABLE``.

TABLE is a CSV or Parquet file with one row an evaluation: ``run_id``, ``step`` (or ``iter``) and ``val_loss``; an
optional ``total_steps`` leaves out runs that did not come to their end. A run's value at a part of its length is its
last evaluation until then, where that is not older than 5 % of the length.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.fidelity_curves")

import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd

from results.fidelity import print_rungs
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console

PARTS = (1 / 9, 0.2, 0.25, 1 / 3, 0.4, 0.5, 0.6, 0.75, 0.8)
OLDEST = 0.05  # of the run's length


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Rows as ``results.fidelity`` wants them; the runs of one table are one group."""
    table = table.rename(columns={"iter": "step"})
    missing = {"run_id", "step", "val_loss"} - set(table.columns)
    if missing:
        raise ValueError(f"the table has no column {min(missing)!r}, only {', '.join(table.columns)}")
    table = table[table["val_loss"].notna()].sort_values(["run_id", "step"])
    rows = [row for run, points in table.groupby("run_id") for row in _of_one(str(run), points)]
    return pd.DataFrame(rows, columns=["trial", "group", "part", "value", "final", "cost"])


def _of_one(run: str, points: pd.DataFrame) -> list[tuple[str, str, float, float, float, float]]:
    steps, losses = points["step"].to_numpy(float), points["val_loss"].to_numpy(float)
    length, planned = steps[-1], points["total_steps"].iloc[-1] if "total_steps" in points else None
    if length <= 0 or (not pd.isna(planned) and length < float(planned)):
        return []
    found = []
    for part in PARTS:
        at = int(np.searchsorted(steps, part * length + 1e-6)) - 1  # the last one until then
        if at >= 0 and part - steps[at] / length <= OLDEST:
            found.append((run, "all", round(part, 2), float(losses[at]), float(losses[-1]), 0.0))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Exit code 2 and one line where the file cannot be used."""
    parser = OneLineParser(prog="python -m benchmarks.fidelity_curves", description=__doc__)
    parser.add_argument(
        "table", type=local_argument, metavar="TABLE", help="CSV or Parquet with run_id, step and val_loss"
    )
    options = parser.parse_args(arguments)
    try:
        read = pd.read_parquet if options.table.suffix == ".parquet" else pd.read_csv
        found = curves(read(options.table))
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    print_rungs(Console(width=120), options.table.parent.name, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
