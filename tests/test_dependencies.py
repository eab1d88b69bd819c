"""What pyproject.toml asks for, constraints.txt gives: one exact version each, from wherever packages come from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "constraints.txt").read_text().splitlines()


def asked() -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for group in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from map(Requirement, group)


def pins() -> dict[str, str]:
    found = {}
    for name, _, version in (line.partition("==") for line in LINES):
        assert canonicalize_name(name) not in found, f"{name} is pinned twice"
        found[canonicalize_name(name)] = version
    return found


@pytest.mark.parametrize("line", LINES)
def test_a_constraint_is_a_name_and_one_exact_version_without_an_address(line) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)


@pytest.mark.parametrize("wanted", sorted(set(asked()), key=str), ids=str)
def test_what_the_project_asks_for_is_pinned_to_a_version_that_it_takes(wanted) -> None:
    version = pins().get(canonicalize_name(wanted.name))
    assert version is not None, f"{wanted.name} is not pinned"
    assert wanted.specifier.contains(Version(version)), f"{wanted} but {version} is pinned"
    assert wanted.url is None
