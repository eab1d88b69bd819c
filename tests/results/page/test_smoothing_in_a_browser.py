"""The page's smoothing of noisy curves: a switch that the keyboard reaches. Skipped where there is no Chromium."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.data import page_data
from results.page.smoothing import running_median
from results.page.write import html_of

CURVES = (Path(__file__).parents[3] / "results" / "page" / "scripts" / "campaign" / "curves.js").read_text("utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A page, and the data that are on it."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 100)
    data = page_data(load(folder), folder)
    page = folder / "page.html"
    page.write_text(html_of(data), "utf-8")
    return page, data


def _points(tab: Any, count: int = 40) -> list[str]:
    """Texts of the first points of the curves, from left to right."""
    chart = tab.locator("#curves .chart")
    chart.scroll_into_view_if_needed()
    tab.wait_for_timeout(250)
    chart.focus()
    found = []
    for _ in range(count):
        tab.keyboard.press("ArrowRight")
        found.append(tab.locator("#tip").inner_text())
    return found


def test_a_point_says_its_own_value_and_the_smoothed_one(made: Any, show: Callable[..., Any]) -> None:
    page, data = made
    measure = next(one for one in data["curves"]["measures"] if one["name"] == "loss")
    tab = show(page).tab
    tab.locator("#curves select").first.select_option(label="loss")
    seen = 0
    for text in _points(tab, 120):  # the first one of a trial is not smoothed
        trial, step, own, smooth = (
            re.search(pattern, text)
            for pattern in (r"Trial (\d+)", r"([\d,]+) steps: ", r"steps: ([\d.]+)", r"smoothed ([\d.]+)")
        )
        if smooth is None or trial is None or step is None or own is None:
            continue
        axis, values = measure["of"][data["trials"]["number"].index(int(trial[1]))]
        at = data["curves"]["axes"][axis][0].index(int(step[1].replace(",", "")))
        assert float(own[1]) == pytest.approx(values[at], rel=1e-3)
        assert float(smooth[1]) == pytest.approx(running_median(values, measure["window"])[at], rel=1e-3)
        seen += 1
    assert seen > 10


MEDIAN = CURVES[CURVES.index("function runningMedian") : CURVES.index("// The values of a trial as they are drawn.")]


@pytest.mark.parametrize("window", [5, 7, 31])
def test_the_pages_median_is_that_of_the_pictures(made: Any, show: Callable[..., Any], window: int) -> None:
    tab = show(made[0]).tab
    for points in (0, 1, 2, 6, 60):
        values = [round(math.sin(at * at) + 9 / (at + 1), 3) if at % 9 != 4 else None for at in range(points)]
        found = [
            math.nan if value is None else value
            for value in tab.evaluate(
                f"([values, window]) => {{ {MEDIAN} return runningMedian(values, window); }}", [values, window]
            )
        ]
        assert found == pytest.approx(running_median(values, window).tolist(), nan_ok=True)


def test_the_switch_is_reached_by_keyboard_and_said_in_the_caption(made: Any, show: Callable[..., Any]) -> None:
    shown = show(made[0])
    tab = shown.tab
    switch, caption = tab.locator("#curves").get_by_role("button", name="smooth"), tab.locator("#curves .hint")
    assert "Each trial's val_loss" in caption.inner_text() and switch.is_hidden(), "the objective comes first"
    tab.locator("#curves select").first.select_option(label="loss")
    assert switch.get_attribute("aria-pressed") == "true"
    assert "A line is the running median of 7 points; faint are the winner's and the base's own" in caption.inner_text()
    tab.locator("#curves select").first.focus()
    for _ in range(2):  # the measure, what it stands against, the switch
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert switch.get_attribute("aria-pressed") == "false" and "not smoothed" in caption.inner_text()
    assert not any("smoothed" in text for text in _points(tab))
    tab.locator("#curves select").first.select_option(label="val_loss")
    assert switch.is_hidden() and "median" not in caption.inner_text(), "a value of all validation data is not noisy"
    assert shown.complaints == []


def test_a_trial_that_is_opened_is_smoothed_alike(made: Any, show: Callable[..., Any]) -> None:
    tab = show(made[0], fragment="#trial-0").tab
    tab.locator("dialog#trial").wait_for()
    assert "loss: running median of 7 points" in tab.locator("dialog#trial").inner_text()
