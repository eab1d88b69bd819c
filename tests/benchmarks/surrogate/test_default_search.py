"""The default search on surrogate trainings is the product's own: its time is paid, its winner is worth something."""

from __future__ import annotations

import pytest

from benchmarks.surrogate import default_search
from benchmarks.surrogate.device import Device


@pytest.fixture(scope="module")
def device(small, made_up) -> Device:
    return Device(small, made_up, "trees")


@pytest.mark.slow  # simulates the levels of each design
@pytest.mark.parametrize("form", default_search.FORMS)
def test_a_campaign_searches_confirms_and_knows_what_its_winner_is_worth(device, form) -> None:
    line = default_search.campaign(device, {"model": "trees", "form": form, "seed": 1}, trials=6)
    most = default_search.FORMS[form]["confirm"].most_runs
    assert 12 <= line["runs"] <= most, "three candidates and the base, on three seeds at least"
    assert line["compute"] <= 2 * line["time"] + 1e-9, "two slots"
    assert line["compute"] > 12, "the confirmation's runs are whole ones"
    assert (line["worth"] is None) == (line["said"] is None)


def test_a_table_has_what_campaigns_took_and_found_by_defaults() -> None:
    line = {"model": "trees", "form": "today", "time": 20.0, "compute": 38.0, "stopped": 9, "promoted": 1, "runs": 12}
    won, lost = {**line, "worth": -0.1, "said": -0.12}, {**line, "time": 30.0, "worth": None, "said": None}
    table = default_search.summary([won, lost], "trees")
    cells = [next(iter(column.cells)) for column in table.columns]
    assert table.row_count == 1 and cells[:3] == ["today", "2", "25.0 (22.5..27.5)"]
    assert cells[7:] == ["1 of 2", "-0.100 (-0.100..-0.100)", "-0.120 (-0.120..-0.120)"]
