"""Whatever reaches the terminal passes ``terminal/``, which escapes it: held by reading the source of all packages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("benchmarks", "results", "search_spaces", "storage", "trainable", "tuner")
ITS_OWN = {  # file -> why it may
    "benchmarks/overhead_systems.py": "a process of its own for each system that is measured; stdout is its protocol",
    "benchmarks/surrogate/peers_worker.py": "runs in another environment without this project; stdout is its protocol",
    "benchmarks/syne_tune_worker.py": "runs in another environment without this project; stdout is its protocol",
    "storage/__init__.py": "says that a module from there is no command, and knows nobody who could say it",
}
FILES = [
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.relative_to(ROOT).as_posix() not in ITS_OWN
]
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__", "displayhook"}
WRITERS = {
    "warnings": {"warn", "warn_explicit"},
    "logging": {"basicConfig", "StreamHandler"},
    "traceback": {"print_exc", "print_exception"},
    "os": {"system"},
}


def bypasses(tree: ast.Module) -> Iterator[str]:
    """The names of what a module prints with by itself."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="print"):
                yield "print"
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in STREAMS:
                yield f"sys.{name}"
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in WRITERS.get(module, ()):
                yield f"{module}.{name}"
            case ast.ImportFrom(module=str(module), names=names):
                for name in (found.name for found in names):
                    if name in WRITERS.get(module, ()) or (module == "sys" and name in STREAMS):
                        yield f"{module}.{name}"
                    if module.partition(".")[0] == "rich" and name in ("Console", "print", "get_console", "track"):
                        yield f"{module}.{name}"
            case ast.Import(names=names):
                yield from (found.name for found in names if found.name in ("rich", "rich.console", "tqdm"))


@pytest.mark.parametrize("file", FILES)
def test_no_module_prints_by_itself(file: str) -> None:
    assert not list(bypasses(ast.parse((ROOT / file).read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "source",
    [
        "print('x')",
        "prepare(say=print)",
        "import sys\nsys.stderr.write('x')",
        "from sys import stdout",
        "from rich.console import Console",
        "from rich import print",
        "import rich.console",
        "import warnings\nwarnings.warn('x')",
        "from logging import StreamHandler",
        "from rich.progress import track",
    ],
)
def test_each_way_around_the_one_place_is_found(source: str) -> None:
    assert list(bypasses(ast.parse(source)))


@pytest.mark.parametrize("file", ITS_OWN)
def test_what_may_print_by_itself_still_does(file: str) -> None:
    assert list(bypasses(ast.parse((ROOT / file).read_text(encoding="utf-8"))))
