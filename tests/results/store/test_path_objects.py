"""A path object names a place at both doors of Python; a text without a separator may be a name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import results
import tuner
from results import compare
from results.store.find import text_of


@pytest.mark.parametrize("load", [results.load, tuner.load])
def test_a_path_object_is_looked_for_where_it_points_and_nowhere_else(load, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(compare.KEPT / "ngpt", "results/runs/night")
    assert load("night").name == "night"
    with pytest.raises(ValueError, match="night"):
        load(Path("night"))
    shutil.copytree(compare.KEPT / "ngpt", "night")
    assert load(Path("night")).name == load(Path("results/runs/night")).name == "night"
    assert load(Path("night/campaign.json")).name == "night"


def test_the_text_of_a_path_object_is_a_path() -> None:
    texts = {Path("night"): "./night", Path("a/b"): "a/b", Path("."): ".", Path("/a"): "/a", "night": "night"}
    assert {place: text_of(place) for place in texts} == texts
