"""One meaning, one name: what a reader meets without its module stands in one module.

The rule has two halves. A class is met anywhere (in a signature, a traceback, a message), so that its name stands once
in the product. A function or a constant may have the name of another one as long as it is always said with its module
(``layout.check(...)``, ``recorded.load(...)``) or used in its own module alone: where somebody takes it out of its
module by name, nobody else may have that name. A package that hands on what its modules hold is a door, and is said
itself (``tuner.load``, ``search_spaces.load``): so is a name that the importer renames at once.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("tuner", "trainable", "results", "search_spaces", "storage", "terminal")
READERS = (*PRODUCT, "benchmarks", "tests", "examples", "deploy")
_NETWORK = "each network names its parts as the field does, and they are met with their file: gpt.Attention"
ALLOWED = {  # name -> why it may stand in several modules all the same
    "Attention": _NETWORK,
    "Block": _NETWORK,
    "Norm": _NETWORK,
    "Smear": _NETWORK,
    "Transformer": _NETWORK,
    "main": "the entry of every program",
}

Modules = Mapping[str, ast.Module]


def parsed(packages: tuple[str, ...]) -> dict[str, ast.Module]:
    """Every file of some packages by the name of its module."""
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text("utf-8")) for path in paths
    }


def defined(module: ast.Module) -> Iterator[tuple[str, bool]]:
    """Public names that a module defines at its top, and whether each is a class."""
    for node in module.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        else:
            continue
        yield from ((name, isinstance(node, ast.ClassDef)) for name in names if not name.startswith("_"))


def taken_out(modules: Modules) -> Iterator[tuple[str, str]]:
    """(module, name) of what somebody imports by its bare name, doors left out."""
    for importer, module in modules.items():
        if importer.endswith("__init__"):
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                yield from ((node.module, alias.name) for alias in node.names if alias.asname is None)


def ambiguous(product: Modules, readers: Modules) -> dict[str, list[str]]:
    """Names that break the rule, each with the modules that define it."""
    where: dict[str, dict[str, bool]] = defaultdict(dict)
    for name, module in product.items():
        for public, is_class in defined(module):
            where[public][name] = is_class
    bare = set(taken_out(readers))
    return {
        name: sorted(modules)
        for name, modules in where.items()
        if len(modules) > 1 and (any(modules.values()) or any((module, name) in bare for module in modules))
    }


def test_one_name_has_one_meaning() -> None:
    readers = parsed(READERS)
    found = ambiguous({name: tree for name, tree in readers.items() if name.partition(".")[0] in PRODUCT}, readers)
    assert {name: modules for name, modules in found.items() if name not in ALLOWED} == {}
    assert ALLOWED.keys() == ALLOWED.keys() & found.keys(), "what is allowed is needed"


@pytest.mark.parametrize(
    ("other", "reader", "said"),
    [
        ("class Run: ...", "", True),  # a class stands once, whoever uses it
        ("Run = dict", "", True),
        ("def Run(): ...", "import a", True),
        ("class _Run: ...", "", False),
        ("class Walk: ...", "from a import Run", False),
    ],
)
def test_a_class_stands_once(other: str, reader: str, said: bool) -> None:
    product = {"a": ast.parse("class Run: ..."), "b": ast.parse(other)}
    assert ("Run" in ambiguous(product, {"reader": ast.parse(reader)})) == said


@pytest.mark.parametrize(
    ("importer", "reader", "said"),
    [
        ("reader", "from a import check", True),
        ("reader", "def late():\n    from b import check", True),  # also inside a function
        ("reader", "import a\na.check()", False),
        ("reader", "from a import check as check_names", False),
        ("reader.__init__", "from a import check", False),  # a door
        ("reader", "from c import check", False),  # another module's, which the product does not have
    ],
)
def test_a_function_may_share_its_name_while_its_module_is_said_with_it(importer: str, reader: str, said: bool) -> None:
    product = {"a": ast.parse("def check(): ..."), "b": ast.parse("check: int = 1")}
    assert ("check" in ambiguous(product, {importer: ast.parse(reader)})) == said
