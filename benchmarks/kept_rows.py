"""Rows that a long benchmark has measured so far, a line of a file for each part, so that it can go on after an end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Part = Sequence[str | int]  # of a benchmark: a name, numbers, a seed


class KeptRows:
    """Keeps the rows of each part of a benchmark in a file; without a file, in memory alone.

    A ValueError names a line that is none of this benchmark. A last line that a killed process left half-written is
    cut off.
    """

    def __init__(self, benchmark: str, file: Path | None = None) -> None:
        self.benchmark, self.file = benchmark, file
        self.rows: dict[str, list[Row]] = {}
        if file is not None and file.exists():
            whole, newline, torn = file.read_bytes().decode(errors="replace").rpartition("\n")
            lines = whole.split("\n") if newline else []
            for number, line in enumerate(lines, 1):
                part, rows = self._read(line, number)
                self.rows[part] = rows
            begins = json.dumps({"benchmark": benchmark})[:-1]
            if not torn.startswith(begins) and not begins.startswith(torn):
                raise self._foreign(len(lines) + 1)
            if torn:
                file.write_text(whole + newline)

    def of(self, part: Part, measure: Callable[[], Iterable[Mapping[str, Any]]]) -> list[Row]:
        """Return the rows of a part, measured now where they are not there."""
        name = json.dumps(list(part))
        if name not in self.rows:
            self.rows[name] = [dict(row) for row in measure()]
            if self.file is not None:
                line = {"benchmark": self.benchmark, "part": list(part), "rows": self.rows[name]}
                with self.file.open("a") as out:
                    out.write(json.dumps(line) + "\n")
        return self.rows[name]

    def _read(self, line: str, number: int) -> tuple[str, list[Row]]:
        try:
            found = json.loads(line)
            if found["benchmark"] == self.benchmark:
                return json.dumps(found["part"]), [dict(row) for row in found["rows"]]
        except (ValueError, KeyError, TypeError):
            pass
        raise self._foreign(number)

    def _foreign(self, number: int) -> ValueError:
        return ValueError(f"{self.file}: line {number} is not of {self.benchmark}; name another file, or a new one")
