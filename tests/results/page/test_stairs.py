"""The best so far against random orders: the band goes in steps as lines do, and a legend names all that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from benchmarks.made_up_campaign import make
from results import load
from results.page.data import page_data
from results.page.pictures import _progress
from results.page.write import html_of

LINES = (Path(__file__).parents[3] / "results" / "page" / "scripts" / "shared" / "lines.js").read_text("utf-8")
OUTLINE = """([xs, lows, highs]) => {
  %s
  const found = [];
  const ctx = { beginPath() {}, fill() {}, lineTo: (x, y) => found.push([x, y]) };
  const same = { map: (value) => value };
  band(ctx, { x: same, y: same, box: { right: 9 } }, xs, lows, highs, "");
  return found;
}"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The data of the page of a made-up search with early stopping."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 5)
    return page_data(load(folder), folder)


def test_a_band_is_two_stairs(data: dict[str, Any], tmp_path: Path, show: Callable[..., Any]) -> None:
    (tmp_path / "page.html").write_text(html_of(data), "utf-8")
    tab = show(tmp_path / "page.html").tab
    found = tab.evaluate(OUTLINE % LINES, [[1, 2, 5], [3, 2, 1], [None, 8, 7]])
    assert found == [[2, 8], [5, 8], [5, 7], [9, 7], [9, 1], [5, 1], [5, 2], [2, 2]]
    said = tab.locator("#progress .legend").inner_text().splitlines()
    assert said[:3] == ["best so far", "the same trials in random order: mean", "nine of ten random orders"]
    assert {"completed", "stopped", "the base"} <= set(said) and any(text.startswith("the ") for text in said[-1:])


def test_the_pictures_band_is_two_stairs(data: dict[str, Any]) -> None:
    axes = Figure().subplots()
    assert _progress(axes, data)
    (path,) = axes.collections[0].get_paths()
    corners = path.vertices[:-1]
    moves = abs(corners[1:] - corners[:-1])
    assert len(corners) > 10 and (moves.min(axis=1) < 1e-12).all(), "never to the side and up at once"
