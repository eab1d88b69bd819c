from __future__ import annotations

import re
from pathlib import Path

import pytest

import results
import search_spaces
import storage
import terminal
import trainable
import tuner
from terminal.nearest import nearest, rule_of_names


def test_the_nearest_name_or_all_of_them() -> None:
    assert nearest("schedul", ["seed", "schedule"], "knobs") == "did you mean 'schedule'?"
    assert nearest("qqqq", ["b", "a"], "knobs") == "valid knobs: a, b"
    assert nearest("x", [], "knobs") == "there are no knobs"


def test_the_same_name_in_other_letters_case_is_nearest_of_all() -> None:
    assert nearest("tidal", ["tidel", "Tidal"], "schedules") == "did you mean 'Tidal'?"


@pytest.mark.parametrize(
    ("name", "names"),
    [("winner", ["confirmed", "best", "all", "none"]), ("gradients", ["updates", "weights", "clips", "logits"])],
)
def test_of_a_few_names_all_are_listed_where_none_is_really_near(name: str, names: list[str]) -> None:
    assert nearest(name, names, "names") == f"valid names: {', '.join(sorted(names))}"
    assert nearest(f"{names[0]}s", names, "names") == f"did you mean {names[0]!r}?"
    assert nearest(names[0][:4], names, "names") == f"did you mean {names[0]!r}?"


def test_a_rule_that_lists_the_names_lists_them_once() -> None:
    assert rule_of_names("gzip", ["zlib", "brotli"]) == "one of zlib, brotli"
    assert rule_of_names("zlbi", ["zlib", "brotli"]) == "one of zlib, brotli: did you mean 'zlib'?"
    twice = re.compile(r"(one of|null or|valid) [^\n]*join\([^\n]*\{nearest\(")
    folders = [Path(place.__file__).parent for place in (terminal, trainable, search_spaces, results, tuner, storage)]
    assert [str(file) for folder in folders for file in folder.rglob("*.py") if twice.search(file.read_text())] == []
