"""The default search on surrogate trainings is the product's own: its time is paid, its winner is worth something."""

from __future__ import annotations

import pytest

from benchmarks.played_search import played_search
from benchmarks.surrogate import default_search
from benchmarks.surrogate.default_search import PlayedTrials
from benchmarks.surrogate.device import Device
from results.store.campaign_folder import Store
from tuner.early_stopping import PREDICTIVE, Promise, Stop


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


def test_a_stopped_trial_goes_on_from_where_it_was(device, tmp_path, monkeypatch) -> None:
    described = {"space": "parameter_golf", "scale": "small", "objective": device.searched.objective}
    store = Store.create(tmp_path / "c", described, device.searched.column_types())
    search = played_search(device.searched, device.small.base, store, 9, 1, 0, stopper=PREDICTIVE, promote=True)
    played, base = PlayedTrials(device, search), search.next()
    search.start(base.key)
    list(played._train(base, device.small.base))
    monkeypatch.setattr(search.stopper.rule, "judge", lambda key, rung, value: Stop(rung, value, value - 1))
    while not search.promotions.paused:  # a trial that fails is never stopped
        to_its_stop = list(played._next())
    (entry,) = search.promotions.paused.values()
    monkeypatch.undo()
    monkeypatch.setattr(search.promotions, "best", lambda: (entry, Promise(0.25, 1.0, 1, [])))
    to_its_end = list(played._next())
    whole = device.train(device.searched.values_of(entry.config), entry.config.seed).seconds
    assert entry.status == "completed" and to_its_stop, "it is the same trial"
    assert sum(to_its_stop) + sum(to_its_end) == pytest.approx(whole), "each part of it is paid once"


def test_a_table_has_what_campaigns_took_and_found_by_defaults() -> None:
    line = {"model": "trees", "form": "today", "time": 20.0, "compute": 38.0, "stopped": 9, "promoted": 1, "runs": 12}
    won, lost = {**line, "worth": -0.1, "said": -0.12}, {**line, "time": 30.0, "worth": None, "said": None}
    table = default_search.summary([won, lost], "trees")
    cells = [next(iter(column.cells)) for column in table.columns]
    assert table.row_count == 1 and cells[:3] == ["today", "2", "25.0 (22.5..27.5)"]
    assert cells[7:] == ["1 of 2", "-0.100 (-0.100..-0.100)", "-0.120 (-0.120..-0.120)"]
