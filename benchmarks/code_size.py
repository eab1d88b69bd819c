"""Size of the code: lines of files and functions of the four packages: ``python -m benchmarks.code_size``.

Lines are those of the files as they are written, comments and blank ones included. A function is counted from its
``def`` to its last line, a method alike, and one inside another in both.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.code_size")

import ast
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console

ROOT = Path(__file__).parents[1]
PACKAGES = ("search_spaces", "tuner", "trainable", "results", "storage", "terminal")


@dataclass(frozen=True, order=True)
class Piece:
    """A file, or a function at ``file:line``."""

    lines: int
    where: str
    name: str = ""


def files(root: Path, package: str) -> list[Piece]:
    """Every Python file of a package, by path."""
    return [Piece(len(_read(path)), _place(root, path)) for path in sorted((root / package).rglob("*.py"))]


def functions(root: Path, package: str) -> Iterator[Piece]:
    """Every function and method of a package."""
    for path in sorted((root / package).rglob("*.py")):
        for node in ast.walk(ast.parse("\n".join(_read(path)))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield Piece(node.end_lineno - node.lineno + 1, f"{_place(root, path)}:{node.lineno}", node.name)


def table(root: Path) -> Table:
    """A row for each package, and one for all of them."""
    found = Table("package", "files", "lines", "median file", "largest file", "longest function", box=None)
    for column in found.columns[1:4]:
        column.justify = "right"
    every: tuple[list[Piece], list[Piece]] = ([], [])
    for package in PACKAGES:
        pieces = files(root, package), list(functions(root, package))
        found.add_row(package, *_cells(*pieces))
        for all_of, own in zip(every, pieces, strict=True):
            all_of += own
    found.add_row("all", *_cells(*every))
    return found


def _cells(files: list[Piece], functions: list[Piece]) -> list[str]:
    if not files:
        return ["0", "0", "-", "-", "-"]
    largest, longest = max(files), max(functions, default=None)
    return [
        f"{len(files)}",
        f"{sum(file.lines for file in files):,}",
        f"{statistics.median(file.lines for file in files):g}",
        f"{largest.where}: {largest.lines}",
        f"{longest.where} {longest.name}: {longest.lines}" if longest else "-",
    ]


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _place(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit code 2 where the folder holds none of the packages."""
    parser = OneLineParser(prog="python -m benchmarks.code_size", description=(__doc__ or "").split(":")[0])
    parser.add_argument(
        "root", type=local_argument, nargs="?", default=ROOT, help="folder of the packages; default: this one"
    )
    root = parser.parse_args(arguments).root
    if not any((root / package).is_dir() for package in PACKAGES):
        return parser.refuse(ValueError(f"{root} holds none of the packages {', '.join(PACKAGES)}"))
    Console(width=180).print(table(root), soft_wrap=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
