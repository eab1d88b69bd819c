"""What carried over to a larger scale, on the page: one picture and one table, linked to this page's trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from results import Store, load
from results.page.write import write_page
from tests.results.conftest import KNOBS

RATES = (0.05, 0.06, 0.07, 0.08)


@pytest.fixture
def folder(tmp_path: Path, make_trial: Any) -> Path:
    """A campaign at the larger scale: four configs of a search, the last of which has diverged here."""
    trials = [
        {"number": 10 + at, "values": {"optimizer.matrix_lr": rate}, "value": 2.0 + rate, "confirmed": not at}
        for at, rate in enumerate(RATES)
    ]
    base = {"number": 0, "values": {}, "value": 2.2}
    carried = {"campaign": "night", "scale": "proxy", "trials": trials, "base": base}
    described = {"space": "parameter_golf", "scale": "full", "objective": "val_bpb", "trials": 5, "carried": carried}
    store = Store.create(tmp_path / "night-at-full", described, KNOBS)
    store.write_trial(make_trial(0, "completed", 1.5))
    for at, rate in enumerate(RATES, start=1):
        end = ("completed", 1.0 + rate) if at < len(RATES) else ("diverged", None)
        store.write_trial(make_trial(at, *end, {"optimizer.matrix_lr": rate}))
    return store.folder


def test_the_ranks_of_both_scales_stand_beside_each_other_and_lead_to_the_trials(folder: Path, show: Any) -> None:
    shown = show(write_page(load(folder), folder))
    part = shown.tab.locator("#transfer")
    part.scroll_into_view_if_needed()
    assert "rank correlation 1.00 over 4 configs" in part.locator(".hint").inner_text()
    rows = part.locator("tbody tr").all_inner_texts()
    assert len(rows) == 5 and rows[0].split()[:3] == ["trial", "10", "1"] and "the base" in rows[4]
    assert part.locator("canvas").first.is_visible()
    part.locator("tbody tr").nth(1).locator("button, a").first.click()
    assert "Trial 2" in shown.tab.locator("body").inner_text()
    assert shown.complaints == []
