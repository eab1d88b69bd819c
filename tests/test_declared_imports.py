"""Every package that the code imports is one that pyproject.toml installs: found by reading the code, not running it.

What only a full scale, another storage or a tracker needs is imported in functions, where no test of this machine comes
by: so every import counts, wherever it stands.
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("tuner", "trainable", "search_spaces", "results", "storage", "terminal")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BY_PLACE = {  # extras whose packages some files may import: they say how to install them where they are absent
    "tuner/trackers/mlflow.py": "mlflow",
    "tuner/trackers/tensorboard.py": "tensorboard",
    "tuner/trackers/trackio.py": "trackio",
    "tuner/trackers/wandb.py": "wandb",
    "tuner/contracts.py": "test",
}
# Package -> what installs it, as far as that is here, which takes a while to find out.
PROVIDERS = {"mlflow": ["mlflow-skinny"]} | importlib.metadata.packages_distributions()


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


def may_import(file: Path) -> set[str]:
    """The distributions that are installed wherever a file runs."""
    extra = BY_PLACE.get(file.relative_to(ROOT).as_posix())
    return names([*PROJECT["dependencies"], *(EXTRAS[extra] if extra else ())])


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Line and top-level name of each import, those in functions and by ``importlib.import_module`` included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value.partition(".")[0]


def undeclared(file: Path, allowed: set[str]) -> list[str]:
    """``file:line: package`` of each import of another's package that is not of an ``allowed`` distribution."""
    found = []
    for line, package in imported(file.read_text()):
        if package in sys.stdlib_module_names or package in PACKAGES:
            continue
        given_by = {canonicalize_name(name) for name in PROVIDERS.get(package, [package])}
        if not given_by & allowed:
            found.append(f"{file.relative_to(ROOT)}:{line}: {package}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_imports_is_installed_with_it(package) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files and [said for file in files for said in undeclared(file, may_import(file))] == []


def test_what_the_full_scales_read_is_among_the_dependencies() -> None:
    """Golf's vocabulary is a model of sentencepiece, which is imported as the data are prepared, after the download."""
    (line,) = {name for _, name in imported((ROOT / "trainable/data/vocabulary_files.py").read_text())} & {
        "sentencepiece"
    }
    assert line in names(PROJECT["dependencies"])


@pytest.mark.parametrize("lacking", ["sentencepiece", "huggingface-hub", "safetensors"])
def test_a_dependency_that_was_left_out_would_be_seen(lacking) -> None:
    allowed = names(PROJECT["dependencies"]) - {lacking}
    files = (ROOT / "trainable").rglob("*.py")
    found = [said for file in files for said in undeclared(file, allowed)]
    assert found and all(re.fullmatch(rf"trainable/.*\.py:\d+: {lacking.replace('-', '_')}", said) for said in found)


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c import d\n    importlib.import_module('e.f')\nfrom . import g\n"
    assert sorted(imported(source)) == [(1, "a"), (3, "c"), (4, "e")]
