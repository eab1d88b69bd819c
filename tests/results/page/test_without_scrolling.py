"""A page that nobody scrolls, as for a screenshot of the whole page: no picture of it stays empty, nor becomes old."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.write import write_page

PIXELS = """() => [...document.querySelectorAll('main .chart')].map((host) => {
  const drawn = host.firstChild;
  const copy = new OffscreenCanvas(drawn.width, drawn.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(drawn, 0, 0);
  const { data } = copy.getImageData(0, 0, drawn.width, drawn.height);
  return data.reduce((sum, part) => sum + (part ? 1 : 0), 0);
})"""
ALL_DRAWN = f"() => ({PIXELS})().every((count) => count > 0)"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a made-up search with a confirmation."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 20)
    return Path(str(write_page(load(folder), folder)))


@pytest.mark.parametrize("width", [1280, 390])
def test_every_picture_is_drawn_where_it_is_off_the_screen(page: Path, show: Callable[..., Any], width: int) -> None:
    shown = show(page, width=width)
    shown.tab.wait_for_function(ALL_DRAWN, polling=300)
    assert shown.tab.evaluate("scrollY") == 0 and len(shown.tab.evaluate(PIXELS)) == 9
    assert shown.complaints == []


def test_a_filter_changes_pictures_off_the_screen_too(page: Path, show: Callable[..., Any]) -> None:
    tab = show(page).tab
    tab.wait_for_function(ALL_DRAWN, polling=300)
    before = tab.evaluate(PIXELS)[-1]
    tab.evaluate("document.querySelector('[data-group=\"completed\"]').click()")
    tab.wait_for_function(f"(before) => ({PIXELS})().at(-1) < before", arg=before, polling=300)
    assert tab.evaluate("scrollY") == 0
