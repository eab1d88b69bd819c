"""Campaigns side by side at 390 pixels, and at a desk: all are seen, and no name is cut where there is room for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results.compare import main

NAMES = ("parameter_golf-proxy-20261128-180058", "day")
SIDES = "(cells) => cells.map((cell) => { const box = cell.getBoundingClientRect(); return [box.width, box.right]; })"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of two campaigns that are not comparable."""
    runs = tmp_path_factory.mktemp("runs")
    folders = [make(runs / name, 24, 5, seed) for seed, name in enumerate(NAMES)]
    told = folders[1] / "campaign.json"
    told.write_text(told.read_text().replace('"base": {', '"base": {"evaluation": {"tokens": 65536}, ', 1))
    if "65536" not in told.read_text():
        told.write_text(told.read_text().rstrip().removesuffix("}") + ', "base": {"evaluation": {"tokens": 65536}}}')
    assert main([*map(str, folders), "--html", str(runs / "page.html")]) == 0
    return runs / "page.html"


def test_both_campaigns_are_on_the_screen_of_a_phone(page: Path, show: Callable[..., Any]) -> None:
    shown = show(page, width=390)
    _, one, other = shown.tab.locator("#side thead th").evaluate_all(SIDES)
    assert one[0] == pytest.approx(other[0], abs=1) and other[1] <= 390
    assert all(right <= 390 for _, right in shown.tab.locator("#unlike td").evaluate_all(SIDES))
    heads = shown.tab.locator("#unlike th").all_inner_texts()
    assert heads == ["what differs", "in one", "in the other"]
    assert shown.tab.evaluate("document.documentElement.scrollWidth") == 390 and shown.complaints == []


def test_a_name_is_whole_where_there_is_room(page: Path, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(
        "window.written = []; const write = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (text, x, y) "
        "{ window.written.push(text); return write.call(this, text, x, y); };"
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    tab.wait_for_function("(name) => window.written.includes(name)", arg=NAMES[0])
    assert not any("\u2026" in text for text in tab.evaluate("window.written"))
    context.close()


def test_a_board_of_one_campaign_does_not_repeat_its_name(page: Path, show: Callable[..., Any]) -> None:
    tab = show(page).tab
    heads = tab.locator("#boards table").first.locator("th").all_inner_texts()
    assert heads[:2] == ["rank", "trial"] and "campaign" not in heads
