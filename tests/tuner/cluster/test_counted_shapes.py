"""Sizes of networks, counted in a process of its own: the same numbers, and no torch in the one that asks."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import search_spaces
from tuner.cluster import counted_shapes
from tuner.cluster.counted_shapes import Shapes, kept_or_counted, shapes_counted, shapes_counted_apart

ROOT = Path(__file__).parents[3]
ASKS = """
import sys
import search_spaces
from tuner.cluster.counted_shapes import shapes_counted_apart
print(shapes_counted_apart(search_spaces.load("parameter_golf").scale("proxy").base), "torch" in sys.modules)
"""


@pytest.fixture
def golf():
    return search_spaces.load("parameter_golf").scale("proxy").base


def test_a_process_of_its_own_counts_the_same_and_leaves_no_torch_behind(golf) -> None:
    said = subprocess.run([sys.executable, "-c", ASKS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{shapes_counted(golf)} False"
    assert shapes_counted(golf).parameters > 100_000 and shapes_counted(golf).blocks == golf.model.num_layers


def test_a_process_that_has_torch_counts_by_itself(golf, monkeypatch) -> None:
    monkeypatch.setattr(counted_shapes.subprocess, "run", None)
    assert "torch" in sys.modules and shapes_counted_apart(golf) == shapes_counted(golf)


def test_where_the_other_process_fails_the_error_is_raised_here(golf, monkeypatch) -> None:
    def fails(*arguments, **options):
        return subprocess.CompletedProcess(arguments, 1, "", "")

    def broken(config):
        raise ValueError("no such network")

    shapes_counted(golf)
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(counted_shapes.subprocess, "run", fails)
    monkeypatch.setattr(counted_shapes, "shapes_counted", broken)
    with pytest.raises(ValueError, match="no such network"):
        shapes_counted_apart(golf)


def test_kept_numbers_are_taken_while_the_vocabulary_is_that_one(golf, monkeypatch) -> None:
    kept = replace(shapes_counted(golf), parameters=7)
    assert kept_or_counted(golf, kept.to_json(), apart=True) == kept
    other = replace(kept, vocabulary=kept.vocabulary + 1)
    assert kept_or_counted(golf, other.to_json(), apart=True) == shapes_counted(golf)
    assert kept_or_counted(golf, None, apart=False) == shapes_counted(golf)
    apart = Shapes(1, 2, 3, 4)
    monkeypatch.setattr(counted_shapes, "shapes_counted_apart", lambda config: apart)
    assert kept_or_counted(golf, None, apart=True) == apart
