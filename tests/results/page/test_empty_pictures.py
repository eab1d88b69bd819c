"""Pictures are left out where there is nothing to draw: no empty axes stand on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from results import Store, load
from results.page.data import page_data
from results.page.pictures import write_pictures
from results.page.write import write_page
from tests.results.conftest import KNOBS, START

Row = dict[str, Any]


@pytest.fixture
def failed(tmp_path: Path, make_trial: Callable[..., Row]) -> Path:
    """A campaign of which no trial came to a value."""
    store = Store.create(tmp_path / "failed", {"space": "parameter_golf"}, KNOBS)
    for number, status in enumerate(("crashed", "diverged", "infeasible", "crashed")):
        changes = {"optimizer.matrix_lr": 0.1 * number, "optimizer.muon_backend_steps": 5 + number} if number else {}
        times = {"worker": "host:1", "wall_seconds": 5.0, "ended_at": START}
        store.write_trial(make_trial(number, status, None, changes, reason="out of memory", **times))  # type: ignore[arg-type]
    return store.folder


def test_failures_alone_have_their_knobs_and_reasons_and_no_empty_picture(
    failed: Path, show: Callable[..., Any]
) -> None:
    shown = show(write_page(load(failed), failed))
    tab = shown.tab
    for section in ("progress", "scatter", "curves", "effects", "confirmation"):
        assert not tab.locator(f"#{section}").is_visible(), section
    for section in ("parallel", "slots", "trials", "failures"):
        assert tab.locator(f"#{section}").is_visible(), section
    chart = tab.locator("#parallel .chart")
    chart.scroll_into_view_if_needed()
    tab.wait_for_timeout(300)
    chart.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    tab.locator("dialog#trial").wait_for()
    assert "out of memory" in tab.locator("dialog#trial").inner_text()
    assert "range asked" not in tab.locator("dialog#trial").inner_text(), "this campaign has asked no ranges"
    assert shown.complaints == []


def test_neither_are_there_files_of_empty_pictures(failed: Path, tmp_path: Path) -> None:
    results = load(failed).read()
    assert write_pictures(results, page_data(results, failed), tmp_path / "pictures") == ["slots.png"]
