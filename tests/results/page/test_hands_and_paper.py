"""The page under a finger, under the keys, and on paper, in a headless Chromium. Skipped where there is no Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.write import write_page

DRAWN = """() => {
  const charts = [...document.querySelectorAll('main .chart')];
  const pixels = (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const empty = (canvas) => pixels(canvas).every((part) => part === 0);
  return [charts.filter((host) => empty(host.firstChild)).length,
    charts.filter((host) => getComputedStyle(host.lastChild).display !== 'none').length];
}"""
RECORDED = Path(__file__).parents[3] / "results" / "recorded"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of a made-up search with a confirmation."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 20)
    return Path(str(write_page(load(folder), folder)))


def _keyed(tab: Any, chart: Any) -> None:
    """Open a trial from a picture by the keyboard alone, and close it again."""
    chart.scroll_into_view_if_needed()
    tab.wait_for_timeout(250)
    chart.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    tab.locator("dialog#trial").wait_for()
    tab.keyboard.press("Escape")
    tab.locator("dialog#trial").wait_for(state="hidden")


def test_every_picture_of_trials_opens_one_by_keyboard(page: Path, show: Callable[..., Any]) -> None:
    shown = show(page)
    for section in ("progress", "curves", "confirmation", "parallel", "scatter", "slots"):
        charts = shown.tab.locator(f"#{section} .chart")
        assert charts.count() == (2 if section == "confirmation" else 1)
        for at in range(charts.count()):
            _keyed(shown.tab, charts.nth(at))
    assert shown.complaints == []


def test_both_pictures_of_a_replay_open_its_trials(tmp_path: Path, show: Callable[..., Any]) -> None:
    shown = show(write_page(load(RECORDED / "ngpt"), tmp_path))
    charts = shown.tab.locator("#replay .chart")
    assert charts.count() == 2
    for at in range(2):
        _keyed(shown.tab, charts.nth(at))


def test_the_line_of_a_trial_without_a_result_opens_it_too(page: Path, show: Callable[..., Any]) -> None:
    shown = show(page)
    tab = shown.tab
    chart = tab.locator("#parallel .chart")
    tab.locator("#bar input").fill("trial-2")
    for status in ("completed", "crashed", "diverged"):
        if tab.locator(f'[data-group="{status}"]').count():
            tab.locator(f'[data-group="{status}"]').click()
    _keyed(tab, chart)
    assert shown.complaints == []


def test_a_click_on_a_line_opens_its_trial(page: Path, show: Callable[..., Any]) -> None:
    shown = show(page)
    tab = shown.tab
    tab.locator("#bar input").fill("trial-0")
    chart = tab.locator("#parallel .chart")
    chart.scroll_into_view_if_needed()
    tab.wait_for_timeout(300)
    box = chart.bounding_box()
    for part in range(1, 60):  # the one line that is left
        tab.mouse.move(box["x"] + 70, box["y"] + part * box["height"] / 60)
        if tab.locator("#tip").is_visible():
            break
    tab.mouse.down()
    tab.mouse.up()
    tab.locator("dialog#trial").wait_for()
    assert tab.url.endswith("#trial-0")


def test_a_finger_that_moves_sideways_zooms_and_buttons_do_too(page: Path, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    tab = context.new_page()
    tab.goto(page.as_uri())
    chart = tab.locator("#progress .chart")
    chart.scroll_into_view_if_needed()
    tab.wait_for_timeout(400)
    box = chart.bounding_box()
    show_all = tab.locator("#progress").get_by_text("Show all")
    assert show_all.is_hidden()
    fingers = context.new_cdp_session(tab)
    y = box["y"] + box["height"] / 2

    def touch(kind: str, *points: float) -> None:
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x in points]})

    touch("touchStart", box["x"] + 120)
    for x in range(130, 300, 10):
        touch("touchMove", box["x"] + x)
    touch("touchEnd")
    show_all.wait_for()
    show_all.click()
    show_all.wait_for(state="hidden")
    tab.locator("#progress").get_by_role("button", name="Zoom in").click()
    show_all.wait_for()
    assert tab.locator("#parallel").get_by_text("select on axes by touch").is_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_on_paper_it_is_light_whole_and_back_again_afterwards(page: Path, show: Callable[..., Any]) -> None:
    shown = show(page, scheme="dark")
    tab = shown.tab
    opened = "document.querySelectorAll('main details[open]').length"
    before = tab.evaluate(opened)
    tab.emulate_media(media="print", color_scheme="dark")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("document.documentElement.dataset.theme") == "light"
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate(opened) > before, "short closed parts are open"
    assert not tab.locator("#theme").is_visible() and not tab.locator("#bar input").is_visible()
    assert tab.locator("#bar .chip").first.is_visible(), "it is the legend"
    assert tab.evaluate(DRAWN) == [0, 0], "every picture is drawn, and no empty canvas lies over it, which paper shows"
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    tab.emulate_media(media="screen", color_scheme="dark")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark" and tab.evaluate(opened) == before
    assert shown.complaints == []


def test_a_print_has_no_dark_sheet_and_no_more_pages_than_it_needs(page: Path, show: Callable[..., Any]) -> None:
    tab = show(page, scheme="dark").tab
    pdf = tab.pdf(format="A4", print_background=True)
    assert pdf.startswith(b"%PDF") and 4 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 15
