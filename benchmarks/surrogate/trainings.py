"""Recorded trainings as a table: ``python -m benchmarks.surrogate.trainings FOLDER`` packs ``record.py``'s lines.

The lines of every space in FOLDER become one Parquet file, ``trainings.parquet`` beside this module, which is what the
surrogates are fitted on. A row is a run; the values of its knobs are JSON, since spaces have knobs of their own.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.trainings")

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from search_spaces.domains import Value
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console

FILE = Path(__file__).with_name("trainings.parquet")
SCHEMA = pa.schema(
    [
        ("space", pa.string()),
        ("kind", pa.string()),  # the way in which its config was drawn: record.py
        ("values", pa.string()),  # knob -> value, as JSON
        ("seed", pa.int64()),
        ("status", pa.string()),
        ("rungs", pa.list_(pa.float64())),  # the objective after each of small_spaces.RUNGS
        ("train", pa.list_(pa.float32())),  # training loss, means over equal parts of the run, nats a token
        ("seconds", pa.float64()),  # of CPU, evaluations included
        ("steps", pa.int64()),
        ("flops", pa.float64()),
        ("bytes", pa.int64()),  # as estimated
    ]
)


@dataclass(frozen=True)
class Training:
    """One recorded run."""

    kind: str
    values: Mapping[str, Value]
    seed: int
    status: str
    rungs: tuple[float, ...]
    train: tuple[float, ...]
    seconds: float

    @property
    def config(self) -> str:
        """A text that two runs share exactly where only their seeds differ."""
        return json.dumps(dict(self.values), sort_keys=True)

    @property
    def completed(self) -> bool:
        return self.status == "completed"


def training(row: Mapping[str, Any]) -> Training:
    """The run of one row: a line of the recording, or of the table."""
    values = row["values"]
    return Training(
        kind=row["kind"],
        values=json.loads(values) if isinstance(values, str) else values,
        seed=row["seed"],
        status=row["status"],
        rungs=tuple(row["rungs"]),
        train=tuple(np.nan if x is None else x for x in row["train"]),
        seconds=row["seconds"],
    )


def whole_lines(text: str) -> list[dict[str, Any]]:
    """The rows of a recording, without a last line that is being written or that a killed process left."""
    return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]


def read(space: str, file: Path = FILE) -> list[Training]:
    """The runs of a space, from the Parquet file or from lines of the recording; a ValueError where there are none."""
    if file.suffix == ".jsonl":
        rows: Sequence[Mapping[str, Any]] = whole_lines(file.read_text())
    else:
        rows = [row for row in pq.read_table(file).to_pylist() if row.get("space") == space]
    if not rows:
        raise ValueError(f"{file} has no run of the space {space!r}")
    try:
        return [training(row) for row in rows]
    except KeyError as error:
        raise ValueError(f"{file} is no table of trainings: it has no column {error}") from None


def pack(folder: Path, file: Path) -> dict[str, int]:
    """Write the runs of all spaces in ``folder`` to ``file``; returns the number of rows by space."""
    rows, counts = [], {}
    for lines in sorted(folder.glob("*.jsonl")):
        found = whole_lines(lines.read_text())
        counts[lines.stem] = len(found)
        rows += [row | {"space": lines.stem, "values": json.dumps(row["values"])} for row in found]
    if not rows:
        raise ValueError(f"{folder} has no recording (*.jsonl)")
    columns = {name: [row.get(name) for row in rows] for name in SCHEMA.names}
    pq.write_table(pa.table(columns, schema=SCHEMA), file, compression="zstd", compression_level=19)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Pack a folder; exit code 2 where it holds no recording."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.trainings", description=__doc__)
    parser.add_argument("folder", type=local_argument)
    parser.add_argument("--file", type=local_argument, default=FILE)
    given = parser.parse_args(arguments)
    try:
        counts = pack(given.folder, given.file)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    for space, count in counts.items():
        Console().print(f"{space}: {count:,} rows")
    Console().print(f"written: {given.file} ({given.file.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
