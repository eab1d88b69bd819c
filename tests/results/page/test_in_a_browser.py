"""The page in a headless Chromium, used as a person uses it. Skipped where there is no Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from results import load
from results.page import lines
from results.page.write import write_page

RECORDED = Path(__file__).parents[3] / "results" / "recorded"


@pytest.fixture
def shown(campaign: Path, show: Callable[..., Any]) -> Any:
    """Open the small made-up campaign's page, which must end without a complaint of the browser's."""
    found = show(write_page(load(campaign), campaign))
    yield found
    assert found.complaints == []


def _box(shown: Any, place: str) -> dict[str, float]:
    """Where an element is, once it is on the screen and drawn."""
    element = shown.tab.locator(place)
    element.scroll_into_view_if_needed()
    shown.tab.wait_for_timeout(200)
    box: dict[str, float] = element.bounding_box()
    return box


def _rows(shown: Any, count: int) -> None:
    """Wait until the table of trials has so many rows; it times out where it never has."""
    there = f"#trials tbody:has(tr:nth-child({count})):not(:has(tr:nth-child({count + 1})))"
    shown.tab.locator(there).wait_for()


def test_it_asks_for_nothing_but_itself(shown: Any) -> None:
    assert [url.partition("#")[0] for url in shown.asked[:1]] == [shown.tab.url.partition("#")[0]]
    assert len(shown.asked) == 1


def test_the_verdict_is_the_first_thing(shown: Any) -> None:
    assert "Trial 1 is the best so far" in shown.tab.locator("#sentence").inner_text()
    assert shown.tab.locator("#winner").inner_text().startswith("The best so far")


def test_a_status_is_filtered_out_of_all_pictures_and_the_table(shown: Any) -> None:
    _rows(shown, 8)
    shown.tab.locator('[data-group="stopped"]').click()
    _rows(shown, 5)
    assert "5 of 8 trials shown" in shown.tab.locator("#count").inner_text()
    shown.tab.locator('[data-group="stopped"]').click()
    _rows(shown, 8)


def test_words_filter_by_number_and_by_change(shown: Any) -> None:
    shown.tab.locator("#bar input").fill("schedule=cosine")
    _rows(shown, 1)
    assert "1 of 8 trials shown" in shown.tab.locator("#count").inner_text()
    shown.tab.locator("#bar input").fill("")
    _rows(shown, 8)


def test_a_link_opens_a_trial_which_has_an_address(shown: Any) -> None:
    shown.tab.locator("#trials tbody a", has_text="4").click()
    dialog = shown.tab.locator("dialog#trial")
    dialog.wait_for()
    assert shown.tab.url.endswith("#trial-4")
    text = dialog.inner_text()
    assert "diverged" in text and "loss is nan at step 12" in text
    assert "optimizer.matrix_lr" in text and "0.04" in text, "what it changes, beside the base"
    shown.tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    shown.tab.wait_for_url(lambda url: "#trial" not in url)


def test_an_address_opens_its_trial(campaign: Path, show: Callable[..., Any]) -> None:
    page = write_page(load(campaign), campaign)
    shown = show(page, fragment="#trial-1")
    shown.tab.locator("dialog#trial").wait_for()
    assert "Trial 1" in shown.tab.locator("#trial-title").inner_text()


def test_curves_beyond_the_first_are_drawn_once_they_are_opened(
    campaign: Path, show: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("val_bpb", "loss", "gradient_norm", *(f"weight_norm.{number}" for number in (1, 2, 3)))
    measures = [{"name": name, "unit": "", "window": 0, "of": {1: [0, [3.0, 2.0, 1.0]]}} for name in names]
    found = {"axes": [[[1, 2, 3], []]], "measures": measures}
    monkeypatch.setattr(lines, "courses", lambda *given: found)
    shown = show(write_page(load(campaign), campaign), fragment="#trial-1")
    tab = shown.tab
    more = tab.locator("dialog#trial details").filter(has_text="weight_norm")
    charts = tab.locator("dialog#trial .chart")
    before = charts.count()
    assert before == 3 and not more.locator(".chart").count()
    more.locator("summary").click()
    tab.wait_for_function("document.querySelectorAll('dialog#trial details .chart').length > 0")
    assert more.locator("h3").all_inner_texts()[-1] == "weight_norm.3"
    more.locator("summary").click()
    more.locator("summary").click()
    assert charts.count() - before == more.locator("h3").count(), "drawn once"
    assert shown.complaints == []


def test_an_axis_is_changed(shown: Any) -> None:
    body = shown.tab.locator("#scatter")
    body.locator("select").first.select_option("schedule")
    assert "left out" not in body.locator(".hint").inner_text()
    body.locator("select").first.select_option("optimizer.matrix_lr")
    body.get_by_text("log x").click()
    assert body.get_by_text("log x").get_attribute("aria-pressed") == "true"


def test_a_point_is_hovered_and_clicked(shown: Any) -> None:
    body = shown.tab.locator("#scatter")
    body.locator("select").first.select_option("optimizer.matrix_lr")
    _box(shown, "#scatter .chart")
    body.locator(".chart").focus()
    shown.tab.keyboard.press("ArrowRight")
    tip = shown.tab.locator("#tip")
    tip.wait_for()
    assert "val_bpb" in tip.inner_text()
    shown.tab.keyboard.press("Enter")
    shown.tab.locator("dialog#trial").wait_for()


def test_a_drag_along_an_axis_selects_trials_everywhere(shown: Any) -> None:
    box = _box(shown, "#parallel .chart")
    x = box["x"] + 34
    shown.tab.mouse.move(x, box["y"] + 52)
    shown.tab.mouse.down()
    shown.tab.mouse.move(x, box["y"] + 200, steps=4)
    shown.tab.mouse.up()
    shown.tab.get_by_text("selected of").wait_for()
    assert shown.tab.locator("#trials tbody tr").count() < 8
    shown.tab.get_by_text("Clear selection").click()
    _rows(shown, 8)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_nothing_is_wider_than_the_screen(campaign: Path, show: Callable[..., Any], width: int, scheme: str) -> None:
    shown = show(write_page(load(campaign), campaign), width=width, scheme=scheme)
    assert shown.tab.evaluate("document.documentElement.scrollWidth") == width
    assert shown.tab.evaluate("document.documentElement.dataset.theme") == scheme
    assert shown.complaints == []


def test_a_replay_shows_its_record(tmp_path: Path, show: Callable[..., Any]) -> None:
    results = load(RECORDED / "ngpt")
    shown = show(write_page(results, tmp_path))
    assert "Rank correlation" in shown.tab.locator("#replay .hint").inner_text()
    _box(shown, "#replay .chart >> nth=0")
    shown.tab.locator("#replay .chart").first.focus()
    shown.tab.keyboard.press("ArrowRight")
    assert "recorded" in shown.tab.locator("#tip").inner_text()
    assert shown.complaints == []
