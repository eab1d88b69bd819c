"""The tables of the search's efficiency are read by the lines below them."""

from __future__ import annotations

import io

import numpy as np

from benchmarks import search_efficiency
from terminal.console import Console


class Row:
    def __init__(self, final: float) -> None:
        self.final, self.curve = final, [final + 1 / part for part in range(1, 10)]


class Table:
    name, rows = "made up", [Row(3.0), Row(2.0), Row(1.0)]

    class space:  # noqa: N801
        knobs = (1, 2)


def test_every_column_and_the_title_are_explained_below_the_tables() -> None:
    console = Console(file=io.StringIO(), width=200)
    regret = {search_efficiency.OURS: np.ones((3, 4)), "random": np.ones((3, 4))}
    search_efficiency.print_table(console, Table(), regret, np.array([1.0, 2.0, 3.0, 4.0]))  # type: ignore[arg-type]
    shown = console._file.getvalue()  # type: ignore[attr-defined]
    console._file = io.StringIO()
    search_efficiency.explain(console, "5 seeds")
    said = console._file.getvalue()
    lines = [line.lower() for line in said.splitlines()]
    for term, beginning in {
        "method": "a method a row",
        "regret at": "regret at c:",
        "compute of ours for the same": "compute of ours for the same:",
        "rank correlation": "rank correlation:",
    }.items():
        assert term in shown and any(line.startswith(beginning) for line in lines)
