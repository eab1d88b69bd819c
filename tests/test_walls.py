"""Imports point at the leaves and go round in no circle, wherever they stand: in a function or for typing only, too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KNOWS = {  # package -> the packages that it may import, as CONTRIBUTING.md has it
    "terminal": set[str](),
    "storage": set[str](),
    "results": {"storage", "terminal"},
    "trainable": {"storage", "terminal"},
    "search_spaces": {"trainable", "storage", "terminal"},
    "tuner": {"search_spaces", "results", "trainable", "storage", "terminal"},
}
ALONE = {
    "ray": {"trainable.worker.ray_trainable", "trainable.worker.stop_signal"},
    "optuna": set[str](),
}  # who may import them outside of tuner

Graph = Mapping[str, Iterable[str]]


def sources() -> dict[str, str]:
    """The text of every module of the product by its name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text("utf-8")
        for package in KNOWS
        for path in (ROOT / package).rglob("*.py")
    }


def imported(text: str, known: Iterable[str]) -> Iterator[str]:
    """Names of the modules that a module imports anywhere; of unknown ones, the names as they are written."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None and node.level == 0, "imports are absolute here"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in known else node.module


@cache
def graph() -> dict[str, set[str]]:
    texts = sources()
    return {name: {found for found in imported(text, texts) if found in texts} for name, text in texts.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Modules that reach themselves, in groups of those that reach each other."""

    def reached(start: str) -> set[str]:
        seen, waiting = set[str](), list(graph.get(start, ()))
        while waiting:
            if (name := waiting.pop()) not in seen:
                seen.add(name)
                waiting += graph.get(name, ())
        return seen

    within = {name: reached(name) for name in graph}
    groups = {frozenset(o for o in graph if o in within[n] and n in within[o]) for n in graph if n in within[n]}
    return sorted(sorted(group) for group in groups)


def upwards(graph: Graph) -> list[tuple[str, str]]:
    """Imports of a package that the importing one must not know."""
    pairs = [(name, other) for name, others in graph.items() for other in others]
    parts = [(name, other, name.partition(".")[0], other.partition(".")[0]) for name, other in pairs]
    return sorted((name, other) for name, other, here, there in parts if here != there and there not in KNOWS[here])


def test_no_import_points_upwards() -> None:
    assert upwards(graph()) == []


def is_config_and_network(circle: list[str]) -> bool:
    """A config builds its network, which loads torch only then; the network is made of the config's fields."""
    return len({name.replace("trainable.networks.", "trainable.models.") for name in circle}) == 1 < len(circle)


def test_no_imports_go_round_in_a_circle() -> None:
    assert [circle for circle in circles(graph()) if not is_config_and_network(circle)] == []


def rooms(graph: Graph) -> Graph:
    """Imports between folders of a package: ``tuner.campaign`` of one room knows ``results.store``."""
    found: dict[str, set[str]] = {}
    for name, others in graph.items():
        here, there = room(name), {room(other) for other in others}
        found.setdefault(here, set()).update(there - {here, ""})
    return {here: there for here, there in found.items() if here}


def room(module: str) -> str:
    """The folder that a module stands in; empty for what ties them together: a package's own files, and programs."""
    package, _, inner = module.partition(".")
    return f"{package}.{inner.partition('.')[0]}" if "." in inner and not inner.endswith(".__main__") else ""


def test_rooms_know_each_other_in_one_direction_but_for_configs_and_networks() -> None:
    known = {"trainable.hooks", "trainable.models", "trainable.networks"}
    assert [circle for circle in circles(rooms(graph())) if not known.issuperset(circle)] == []


def test_two_rooms_that_know_each_other_are_a_circle() -> None:
    made_up = {"tuner.a.x": ["tuner.b.y", "tuner.run"], "tuner.b.z": ["tuner.a.w"], "tuner.run": ["tuner.a.x"]}
    assert circles(rooms(made_up)) == [["tuner.a", "tuner.b"]]


@pytest.mark.parametrize("library", ALONE)
def test_only_tuner_knows_ray_and_optuna(library) -> None:
    found = {name for name, text in sources().items() for m in imported(text, ()) if m.partition(".")[0] == library}
    assert {name for name in found if not name.startswith("tuner.")} == ALONE[library]


def test_nobody_imports_tests_benchmarks_or_what_deploys() -> None:
    packages = {m.partition(".")[0] for text in sources().values() for m in imported(text, ())}
    assert not packages & {"tests", "benchmarks", "deploy"} and packages >= KNOWS.keys() - {"tuner"}


def test_imports_in_functions_and_for_typing_count() -> None:
    text = """
from typing import TYPE_CHECKING
import storage.files
if TYPE_CHECKING:
    from tuner.search import Search
def late():
    from trainable.data import dataset, nothing
"""
    assert set(imported(text, {"trainable.data.dataset"})) == {
        "typing",
        "storage.files",
        "tuner.search",
        "trainable.data.dataset",
        "trainable.data",
    }


def test_a_circle_of_any_length_is_found_and_what_only_leads_to_one_is_not_in_it() -> None:
    made_up = {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a", "e"], "e": [], "f": ["f"], "g": ["h"], "h": ["g"]}
    assert circles(made_up) == [["a", "b", "c"], ["f"], ["g", "h"]]


def test_an_import_past_a_wall_is_found() -> None:
    made_up = {
        "results.report": ["trainable.data.dataset", "results.store.validate"],
        "tuner.run": ["results"],
        "storage.files": [],
    }
    assert upwards(made_up) == [("results.report", "trainable.data.dataset")]
