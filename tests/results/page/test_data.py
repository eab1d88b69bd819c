"""What a page knows of a campaign, from the rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results import Store, load
from results.page.data import page_data
from results.page.lines import thinned
from results.page.plain import json_number, json_numbers
from terminal.short import decimals

Row = dict[str, Any]
RECORDED = Path(__file__).parents[3] / "results" / "recorded"


def _of(folder: Path) -> dict[str, Any]:
    data = page_data(load(folder), folder)
    json.dumps(data, allow_nan=False)
    return data


def test_trials_stand_in_the_order_of_their_numbers_with_rank_and_difference(campaign: Path) -> None:
    trials = _of(campaign)["trials"]
    assert trials["number"] == list(range(8))
    assert trials["rank"] == [2, 1, None, None, None, 3, None, None]
    assert trials["versus"][1] == pytest.approx(-0.0312)
    assert trials["rung"][2] == 20 and trials["value"][4] is None


def test_the_sentence_says_that_one_run_of_one_seed_is_no_finding(campaign: Path) -> None:
    verdict = _of(campaign)["verdict"]
    assert verdict["trial"] == 1 and verdict["tone"] == "open" and verdict["confirmed"] is False
    assert "1.8423, -0.0312 against the base" in verdict["sentence"] and "not yet a finding" in verdict["sentence"]
    assert "1 under way" in verdict["sentence"]


@pytest.mark.parametrize("status", ["crashed", "diverged", "infeasible"])
def test_failures_alone_make_a_page(tmp_path: Path, make_trial: Callable[..., Row], status: str) -> None:
    store = Store.create(tmp_path / "failed", {"space": "parameter_golf"}, {})
    for n in range(3):
        row = make_trial(n, status, None, reason="why", config="{}")
        store.write_trial({name: cell for name, cell in row.items() if "." not in name and name != "schedule"})  # type: ignore[typeddict-item]
    data = _of(store.folder)
    assert data["verdict"]["tone"] == "failed"
    assert data["verdict"]["sentence"] == f"No trial completed: 3 {status}."


def test_an_empty_campaign_makes_a_page(store: Store) -> None:
    data = _of(store.folder)
    assert data["trials"]["number"] == [] and data["verdict"]["sentence"] == "No trial has started."


def test_a_replay_has_its_record_beside_it() -> None:
    data = _of(RECORDED / "ngpt")
    runs = data["replay"]["runs"]
    assert runs and {"recorded", "measured", "trials"} <= runs[0].keys()
    assert data["knobs"], "fields that several runs change stand for knobs"


def test_a_knob_has_its_range_condition_and_values(tmp_path: Path, make_trial: Callable[..., Row]) -> None:
    ranges = {
        "optimizer.matrix_lr": {"domain": "0.01 .. 0.3 (log)", "why": "seen", "when": None},
        "schedule": {"domain": "Cosine | Warmdown", "why": "", "when": None},
        "schedule.warmdown_frac": {"domain": "0.1 .. 1", "why": "", "when": {"schedule": ["Warmdown"]}},
    }
    knobs = {"optimizer.matrix_lr": "float64", "schedule": "string", "schedule.warmdown_frac": "float64"}
    store = Store.create(tmp_path / "made-up", {"space": "parameter_golf", "ranges": ranges}, knobs)
    kept = {"optimizer.muon_momentum", "optimizer.muon_backend_steps", "model.tied"}
    for n, changes in enumerate(({}, {"schedule": "Cosine", "schedule.warmdown_frac": None})):
        row = make_trial(n, "completed", 2.0 - n, changes)
        store.write_trial({name: cell for name, cell in row.items() if name not in kept})  # type: ignore[typeddict-item]
    lr, schedule, frac = _of(store.folder)["knobs"]
    assert (lr["kind"], lr["low"], lr["high"], lr["log"]) == ("number", 0.01, 0.3, True)
    assert schedule["labels"] == ["Cosine", "Warmdown"] and schedule["values"] == [1, 0]
    assert frac["values"] == [0.6, None]
    assert frac["when"] == [{"path": "schedule", "labels": ["Warmdown"]}]


def test_a_number_of_a_choice_has_one_label_however_it_is_written(
    tmp_path: Path, make_trial: Callable[..., Row]
) -> None:
    ranges = {"losses.ZLoss.weight": {"domain": "0.0 | 0.0001 | 0.001", "why": "", "when": None}}
    store = Store.create(tmp_path / "made-up", {"space": "x", "ranges": ranges}, {"losses.ZLoss.weight": "float64"})
    for n, weight in enumerate((0.0, 0.001, 0.5)):
        row = make_trial(n, "completed", 2.0 - n, is_base=not n)
        kept = {name: cell for name, cell in row.items() if "." not in name and name != "schedule"}
        store.write_trial({**kept, "losses.ZLoss.weight": weight})  # type: ignore[typeddict-unknown-key]
    (knob,) = _of(store.folder)["knobs"]
    assert knob["labels"] == ["0.0", "0.0001", "0.001", "0.5"] and knob["values"] == [0, 2, 3]


@pytest.mark.parametrize("domain", ["True | False", "true | false"])  # as campaigns of before have it, and as new ones
def test_labels_of_a_switch_are_those_that_set_it(tmp_path: Path, make_trial: Callable[..., Row], domain: str) -> None:
    ranges = {"model.tied": {"domain": domain, "why": "", "when": {"model.tied": [True, None]}}}
    store = Store.create(tmp_path / "made-up", {"space": "x", "ranges": ranges}, {"model.tied": "bool"})
    for n, tied in enumerate((True, False)):
        row = make_trial(n, "completed", 2.0 - n, {"model.tied": tied}, is_base=not n)
        kept = {name: cell for name, cell in row.items() if "." not in name and name != "schedule"}
        store.write_trial({**kept, "model.tied": tied})  # type: ignore[typeddict-unknown-key]
    (knob,) = _of(store.folder)["knobs"]
    assert knob["domain"] == "true | false" and knob["labels"] == ["true", "false"] and knob["values"] == [0, 1]
    assert knob["when"] == [{"path": "model.tied", "labels": ["true", "null"]}]


@pytest.mark.parametrize(("count", "most"), [(3, 5), (5, 5), (500, 20), (1001, 500)])
def test_thinned_lines_keep_both_ends(count: int, most: int) -> None:
    places = thinned(count, most)
    assert places[0] == 0 and places[-1] == count - 1 and len(places) <= most


@pytest.mark.parametrize(("value", "said"), [(float("nan"), None), (float("inf"), None), (2.0, 2), (1 / 3, 0.333333)])
def test_a_number_is_finite_and_short(value: float, said: float | None) -> None:
    assert json_number(value) == said


@pytest.mark.parametrize("value", [2.8253496, 2.82534999, -0.20475001, 0.99995000001, 0.00085449999])
def test_a_number_is_shown_as_the_same_result_that_the_text_has(value: float) -> None:
    for sent in (json_number(value), *json_numbers([value]), *json_numbers(np.array([value]))):
        assert sent is not None and decimals(float(sent)) == decimals(value)
