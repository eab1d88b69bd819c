"""Runs after the search are no trials of it: on the page they are counted, filtered and coloured apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.data import page_data
from results.page.palette import COLOURS, drawn_as, said_of
from results.page.write import write_page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a search of 24 trials with a confirmation of 12 runs."""
    return make(tmp_path_factory.mktemp("made-up") / "night", 24, 5)


def test_chips_count_trials_of_the_search_and_runs_after_it_apart(folder: Path, show: Callable[..., Any]) -> None:
    results = load(folder)
    tab = show(write_page(results, folder)).tab
    completed = int((results.trials["status"] == "completed").sum())
    assert tab.locator('[data-group="completed"]').inner_text() == f"completed {completed}"
    assert tab.locator('[data-group="confirm"]').inner_text() == "confirmation runs 12"
    assert tab.locator("#count").inner_text() == "24 trials, 12 runs after the search"
    tab.locator('[data-group="completed"]').click()
    left = f"{24 - completed} of 24 trials shown, 12 runs after the search"
    assert tab.locator("#count").inner_text() == left, "the confirmation stays"
    tab.locator('[data-group="completed"]').click()
    tab.locator('[data-group="confirm"]').click()
    assert tab.locator("#count").inner_text() == "24 trials, 0 of 12 runs after the search shown"
    tab.locator("#trials tbody:has(tr:nth-child(24)):not(:has(tr:nth-child(25)))").wait_for()


def test_pictures_draw_them_in_a_colour_of_their_own(folder: Path) -> None:
    data = page_data(load(folder), folder)
    kinds = [drawn_as(data, place) for place in range(len(data["trials"]["number"]))]
    assert kinds.count("confirm") == 12 and kinds.count("base") == 1 == kinds.count("winner")
    assert COLOURS["confirm"] not in (COLOURS["completed"], COLOURS["soft"]) and said_of("confirm") == "confirmation"
