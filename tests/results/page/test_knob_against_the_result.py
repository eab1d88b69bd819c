"""A knob against the result in a headless Chromium: the caption counts its points, and the base's line is seen."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.data import page_data
from results.page.write import html_of

KNOB = "schedule.warmup_frac"  # acts with one of three schedules alone
BLACK_ROWS = """() => {
  const canvas = document.querySelector('#scatter .chart canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let rows = 0;
  for (let y = 0; y < canvas.height; y++) {
    let black = 0;
    for (let x = 0; x < canvas.width; x++) {
      const at = 4 * (y * canvas.width + x);
      if (data[at + 3] > 60 && data[at] + data[at + 1] + data[at + 2] === 0) black++;
    }
    if (black > canvas.width / 4) rows++;
  }
  return rows;
}"""  # rows of pixels with a line as black as the base's; texts are not quite


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The data of the page of a made-up search with early stopping."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 5)
    return page_data(load(folder), folder)


@pytest.fixture
def caption(tmp_path: Path, show: Callable[..., Any]) -> Callable[..., tuple[str, int]]:
    """Shows a knob on the page of these data; returns the caption, and how many rows of pixels the base's line has."""

    def shown(data: dict[str, Any], knob: str) -> tuple[str, int]:
        page = tmp_path / "page.html"
        page.write_text(html_of(data), "utf-8")
        found = show(page)
        found.tab.locator("#scatter").scroll_into_view_if_needed()
        found.tab.locator("#scatter select").first.select_option(knob)
        found.tab.wait_for_timeout(300)
        assert found.complaints == []
        return found.tab.locator("#scatter .hint").inner_text(), found.tab.evaluate(BLACK_ROWS)

    return shown


def _searched(data: dict[str, Any]) -> list[int]:
    return [place for place, stage in enumerate(data["trials"]["stage"]) if stage == "search"]


def _values(data: dict[str, Any], knob: str) -> list[Any]:
    return next(one["values"] for one in data["knobs"] if one["path"] == knob)


def test_the_counts_of_the_caption_are_those_of_the_points(data: dict[str, Any], caption: Callable[..., Any]) -> None:
    places = _searched(data)
    own = [place for place in places if _values(data, KNOB)[place] is not None]
    drawn = [place for place in own if data["trials"]["value"][place] is not None]
    assert 0 < len(drawn) < len(own) < len(places)
    said, _ = caption(data, KNOB)
    assert f"{len(places) - len(own)} of {len(places)} trials are without it and left out." in said
    has = "has" if len(own) - len(drawn) == 1 else "have"
    assert f"{len(own) - len(drawn)} of the other {len(own)} {has} no value at the end" in said
    assert f"{len(drawn)} trial{'s are' if len(drawn) > 1 else ' is'} drawn." in said


def _with_base_at(data: dict[str, Any], spans: float) -> dict[str, Any]:
    """The data with all trials at their end, 0.01 apart, and the base so many times their spread above the highest."""
    changed = deepcopy(data)
    places = _searched(changed)
    for number, place in enumerate(places):
        changed["trials"]["value"][place] = 2.0 + 0.01 * number
    base = next(place for place in places if changed["trials"]["is_base"][place])
    changed["trials"]["value"][base] = 2.0 + 0.01 * len(places) * (1.0 + spans)
    return changed


def test_a_base_above_the_points_of_a_knob_has_its_line(data: dict[str, Any], caption: Callable[..., Any]) -> None:
    said, rows = caption(_with_base_at(data, 1.0), KNOB)
    assert "The dashed line is the base." in said and rows >= 1


def test_a_base_far_above_all_points_is_said_to_be_outside(data: dict[str, Any], caption: Callable[..., Any]) -> None:
    said, rows = caption(_with_base_at(data, 50.0), KNOB)
    assert "lies far above all points, outside of the picture" in said and rows == 0
