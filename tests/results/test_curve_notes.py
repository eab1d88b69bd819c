"""Curves that are gone, and values in them that are not finite: each is a line in the report and on the page."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import Store, load
from results.curve_notes import missing_curves, not_finite_curves
from results.page.data import page_data
from results.report import main

RECORDED = Path(__file__).parents[2] / "results" / "recorded"


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    return make(tmp_path / "night", 6, 5)


def without_files(folder: Path, numbers: set[int]) -> None:
    for row in load(folder).rows.to_dict("records"):
        if row["number"] in numbers:
            (folder / "curves" / f"{row['key']}.parquet").unlink()


def test_a_campaign_that_is_whole_says_nothing(campaign: Path, capsys: Any) -> None:
    assert main([str(campaign)]) == 0 and "note: " not in capsys.readouterr().out
    assert page_data(load(campaign), campaign)["curve_notes"] == []


@pytest.mark.parametrize("page", [[], ["--no-page"]])
def test_curves_that_are_gone_are_counted_and_named(campaign: Path, capsys: Any, page: list[str]) -> None:
    trained = int(load(campaign).rows["status"].isin(["completed", "stopped", "diverged"]).sum())
    without_files(campaign, {0, 7})
    said = f"2 of {trained} runs that trained have no training curve: no file in curves/ of trials 0, 7"
    assert main([str(campaign), *page]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")] == [f"note: {said}"]
    assert page_data(load(campaign), campaign)["curve_notes"] == [f"{said}."]


def test_a_campaign_without_any_curve_says_so_and_names_a_few(campaign: Path) -> None:
    for file in (campaign / "curves").iterdir():
        file.unlink()
    said = missing_curves(load(campaign))
    assert "have no training curve" in said and said.count(", ") == 8 and ", +" in said


def test_what_keeps_no_curves_lacks_none(searched_by_a_function: Path) -> None:
    assert missing_curves(load(RECORDED / "ngpt")) == "", "it is compacted"
    assert missing_curves(load(searched_by_a_function)) == "", "it told none"


@pytest.fixture
def searched_by_a_function(campaign: Path) -> Path:
    """A campaign whose train function, the user's own, tells no curve."""
    Store.open(campaign).revise(
        {"own_train": {"name": "loss", "fingerprint": "x", "source": "", "maximise": False, "domains": {}}}
    )
    without_files(campaign, set(load(campaign).rows["number"]))  # but the one without rows, which every campaign has
    assert [file.name for file in (campaign / "curves").iterdir()] == ["0-empty.parquet"]
    return campaign


def test_values_that_are_not_finite_are_taken_named_and_gaps_on_the_page(campaign: Path, capsys: Any) -> None:
    row = load(campaign).rows.iloc[3]
    curve = {"steps": [1, 2, 3, 4], "tokens": [8, 16, 24, 32], "units": {"loss": "nats/token", "gradient_norm": "1"}}
    values = {"gradient_norm": [1.0, 2.0, math.inf, math.nan], "loss": [4.0, -math.inf, math.nan, 3.0]}
    assert Store.open(campaign).write_curve(row["key"], int(row["number"]), {**curve, "values": values})
    said = "the training curve of 1 run has values that are not finite, which are gaps: trial 3"
    assert not_finite_curves(load(campaign)) == said
    assert main([str(campaign)]) == 0 and f"note: {said}\n" in capsys.readouterr().out
    data = page_data(load(campaign), campaign)
    assert data["curve_notes"] == [f"T{said[1:]}."]
    loss = next(measure for measure in data["curves"]["measures"] if measure["name"] == "loss")
    assert loss["of"][3][1] == [4, None, None, 3]
