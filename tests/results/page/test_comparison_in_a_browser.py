"""The page of several campaigns in a headless Chromium, used as a person does. Skipped where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results.compare import main


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of two campaigns on one ruler and one on another."""
    runs = tmp_path_factory.mktemp("runs")
    folders = [make(runs / name, 24, 5, seed) for seed, name in enumerate(("night", "day", "other"))]
    told = json.loads((folders[2] / "campaign.json").read_text())
    told["ranges"]["optimizer.matrix_lr"]["domain"] = "0.01 .. 0.3 (log)"
    (folders[2] / "campaign.json").write_text(json.dumps({**told, "base": {"evaluation": {"tokens": 65536}}}))
    assert main([*map(str, folders), "--html", str(runs / "page.html")]) == 0
    return runs / "page.html"


def test_it_names_what_differs_filters_opens_a_trial_and_asks_for_nothing(page: Path, show: Callable[..., Any]) -> None:
    shown = show(page)
    tab = shown.tab
    assert "Not ranked together" in tab.locator("#sentence").inner_text()
    assert "evaluation.tokens" in tab.locator("#unlike").inner_text()
    for section in ("side", "boards", "winners", "noise", "knobs", "reproduce"):
        assert tab.locator(f"#{section} .body").is_visible(), section
    assert "0.01 .. 0.3 (log)" in tab.locator("#knobs").inner_text()
    board = tab.locator("#boards table").first
    assert "day" in board.inner_text()
    tab.locator('[data-group="1"]').click()
    tab.locator("#boards table >> nth=0 >> tbody:not(:has-text('day'))").wait_for()
    tab.locator('[data-group="1"]').click()
    board.locator("tbody a").first.click()
    dialog = tab.locator("dialog#trial")
    dialog.wait_for()
    assert "Changed from its base" in dialog.inner_text() and "optimizer.matrix_lr" in dialog.inner_text()
    tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert shown.asked == [tab.url] or [url.partition("#")[0] for url in shown.asked] == [tab.url.partition("#")[0]]
    assert shown.complaints == []


def test_a_point_is_reached_by_keyboard_and_opens_its_trial(page: Path, show: Callable[..., Any]) -> None:
    shown = show(page)
    tab = shown.tab
    for section in ("boards", "winners", "knobs"):
        chart = tab.locator(f"#{section} .chart").first
        chart.scroll_into_view_if_needed()
        tab.wait_for_timeout(300)
        chart.focus()
        tab.keyboard.press("ArrowRight")
        tab.locator("#tip").wait_for()
        tab.keyboard.press("Enter")
        tab.locator("dialog#trial").wait_for()
        tab.keyboard.press("Escape")
        tab.locator("dialog#trial").wait_for(state="hidden")
    assert shown.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_nothing_is_wider_than_the_screen(page: Path, show: Callable[..., Any], width: int, scheme: str) -> None:
    shown = show(page, width=width, scheme=scheme)
    assert shown.tab.evaluate("document.documentElement.scrollWidth") == width
    assert shown.tab.evaluate("document.documentElement.dataset.theme") == scheme
    assert shown.complaints == []
