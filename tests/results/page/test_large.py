"""A page of 2,000 made-up trials does what a small one does, and weighs what it may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.write import write_page


def _check(page: Path, show: Callable[..., Any], runs: int, most_bytes: float) -> None:
    """Find the verdict, hover a curve, filter by status, open a trial and change an axis, without a complaint."""
    assert page.stat().st_size < most_bytes
    shown = show(page)
    tab = shown.tab
    assert "Trial" in tab.locator("#sentence").inner_text() or "None of" in tab.locator("#sentence").inner_text()
    for section in ("progress", "curves", "confirmation", "effects", "importance", "parallel", "slots", "next"):
        assert tab.locator(f"#{section} .body").is_visible(), section
    assert "python -m tuner.run --resume" in tab.locator("#next").inner_text()
    assert tab.locator("#count").inner_text() == f"{runs - 12:,} trials, 12 runs after the search"
    chart = tab.locator("#curves .chart")
    chart.scroll_into_view_if_needed()
    tab.wait_for_timeout(500)
    box = chart.bounding_box()
    tip = tab.locator("#tip")
    for part in range(1, 40):  # the last points of the best lines lie low and to the right
        tab.mouse.move(box["x"] + box["width"] - 20, box["y"] + part * box["height"] / 40)
        if tip.is_visible():
            break
    assert "val_loss" in tip.inner_text()
    tab.locator("#curves select").first.select_option(label="gradient_norm")
    tab.locator('[data-group="stopped"]').click()
    tab.locator("#trials tbody:not(:has-text('stopped'))").wait_for()
    tab.locator("#trials tbody a").first.click()
    tab.locator("dialog#trial").wait_for()
    assert "gradient_norm" in tab.locator("dialog#trial").inner_text()
    tab.keyboard.press("Escape")
    tab.locator("#scatter select").first.select_option("schedule.warmup_frac")
    assert "It acts only where schedule is Tidal" in tab.locator("#scatter .hint").inner_text()
    assert shown.complaints == []


def test_a_search_with_curves_and_a_confirmation(tmp_path: Path, show: Callable[..., Any]) -> None:
    folder = make(tmp_path / "made-up", 24)
    _check(write_page(load(folder), folder), show, 36, 3e6)


@pytest.mark.slow
def test_two_thousand_trials(tmp_path: Path, show: Callable[..., Any]) -> None:
    folder = make(tmp_path / "made-up", 2000)
    _check(write_page(load(folder), folder), show, 2012, 10e6)
