"""What the page of a large campaign shows: a part of its trials, chosen and said, under the numbers of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results import Store, load
from results.page import part
from results.page.data import page_data
from results.page.part import shown_part
from results.page.write import html_of

Row = dict[str, Any]
COUNT = 60


@pytest.fixture
def large(tmp_path: Path, make_trial: Callable[..., Row], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign of 60 trials, of which a page shows 20, with two runs on a fresh seed."""
    monkeypatch.setattr(part, "MOST_TRIALS", 20)
    monkeypatch.setattr(part, "BEST", 5)
    store = Store.create(tmp_path / "large", {"space": "parameter_golf", "objective": "val_bpb"}, {})
    for n in range(COUNT):
        status = "crashed" if n in (21, 23, 31) else "running" if n == 41 else "completed"
        value = {3: 1.5, 50: 1.2}.get(n, 2.0 + (n * 37 % COUNT) / 100)
        reason = {21: "out of memory at step 5", 23: "out of memory at step 7", 31: "no such file"}.get(n)
        row = make_trial(n, status, value if status == "completed" else None, reason=reason, is_base=n == 0)
        store.write_trial({name: cell for name, cell in row.items() if "." not in name and name != "schedule"})  # type: ignore[typeddict-item]
    for n, arm in ((60, f"{0:016x}"), (61, f"{45:016x}")):
        row = make_trial(n, "completed", 1.9, stage="confirm", arm=arm, round=0, design="2x3", is_base=n == 60)
        store.write_trial({name: cell for name, cell in row.items() if "." not in name and name != "schedule"})  # type: ignore[typeddict-item]
    return store.folder


def test_the_part_has_what_the_findings_name_and_of_the_rest_some_of_every_time(large):
    results = load(large)
    found = shown_part(results)
    rows = found.results.rows
    shown = set(rows["number"])
    assert (found.trials, found.of) == (20, COUNT) and len(rows) == 22
    best = results.trials.sort_values("value")["number"].head(5)
    assert {0, 3, 50, 41, 45, 60, 61} | set(best) <= shown, (
        "base, what lowered the best, what runs, what was confirmed, best"
    )
    assert 21 in shown and 31 in shown, "one of each reason"
    rest = sorted(shown - {0, 3, 50, 41, 45, 60, 61, 21, 31} - set(best))
    assert len(rest) > 5 and all(any(low <= n < low + 20 for n in rest) for low in (0, 20, 40))
    assert set(found.results.reports["key"]) <= set(rows["key"])


def test_proposals_that_were_never_trained_are_not_counted_as_trials(large):
    results = load(large)
    rows = results.rows.copy()
    rows["config"] = rows["config"].astype(object)
    rows.loc[rows["number"].isin([21, 23]), ["status", "config"]] = ["infeasible", "null"]
    found = shown_part(replace(results, rows=rows, worked_out={}))
    assert found.in_short == "Of 58 trials and 2 proposals 20 are drawn."
    assert "This page shows 20 of 58 trials and 2 proposals: " in found.said(large)


def test_all_of_a_small_campaign_is_shown_and_nothing_said(campaign):
    results = load(campaign)
    found = shown_part(results)
    assert found.results is results and found.said(campaign) == found.in_short == ""
    assert page_data(results, campaign)["part"] is None


def test_a_page_says_how_many_it_shows_and_ranks_and_words_are_of_all(large, monkeypatch):
    results = load(large)
    data = page_data(results, large)
    told = data["part"]
    assert told["trials"] == COUNT and told["in_short"] == "Of 60 trials 20 are drawn."
    assert "This page shows 20 of 60 trials" in told["said"] and "/trials" in told["said"]
    assert told["totals"]["completed"] == 56 and told["totals"]["crashed"] == 3
    monkeypatch.setattr(part, "MOST_TRIALS", 1000)
    whole = page_data(load(large), large)
    assert whole["part"] is None
    for name in ("verdict", "importance", "next", "effects", "base_value", "winner", "reproduce", "confirmations"):
        assert data[name] == whole[name], name
    places = [whole["trials"]["number"].index(number) for number in data["trials"]["number"]]
    for name, cells in data["trials"].items():
        assert cells == [whole["trials"][name][place] for place in places], name
    assert data["changes"]["of"] == [whole["changes"]["of"][place] for place in places]
    way, of_all = data["progress"], whole["progress"]
    assert len(way["best"]) < len(of_all["best"]) and way["best"][-1] == of_all["best"][-1]
    kept = [of_all["spent"].index(spent) for spent in way["spent"]]
    for name in ("best", "random", "low", "high", "value"):
        assert way[name] == [of_all[name][at] for at in kept], name
    assert data["slots"]["sums"] == whole["slots"]["sums"] and data["slots"]["seconds"] == whole["slots"]["seconds"]
    assert len(data["slots"]["bars"]) < len(whole["slots"]["bars"])
    json.dumps(data, allow_nan=False)
    assert told["in_short"] in html_of(data)
