"""What a page says of what it draws, by its own script: in node where that is there, without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.page.comparison import comparison_data
from results.page.data import page_data
from results.page.write import html_of, html_of_comparison
from results.questions.compare import compare_campaigns

DOCUMENT = Path(__file__).with_name("document.js")
Data = dict[str, Any]
Texts = dict[str, list[str] | None]  # of each section that is shown


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The data of the page of a made-up search with early stopping and a confirmation."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 5)
    return page_data(load(folder), folder)


@pytest.fixture(scope="module")
def node() -> str:
    """Node that knows what browsers of 2022 know; skipped where there is none."""
    found = shutil.which("node")
    if found is None or subprocess.run([found, "-e", "[].findLastIndex(Boolean)"], capture_output=True).returncode:
        pytest.skip("there is no node of version 18 or later here")
    return found


@pytest.fixture
def texts(tmp_path: Path, node: str) -> Callable[..., Texts]:
    """Puts a page together of these data, and returns the texts of its sections after some clicks on buttons."""

    def shown(data: Data, *clicks: str, made: Callable[[Data], str] = html_of) -> Texts:
        page = tmp_path / "page.html"
        page.write_text(made(data), "utf-8")
        run = subprocess.run([node, DOCUMENT, page, *clicks], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        found: Texts = json.loads(run.stdout)
        return found

    return shown


def _outside(texts: Texts, section: str) -> list[str]:
    return [text for text in texts[section] or [] if "picture" in text and ("lie " in text or "lies " in text)]


def _with_values(data: Data, *far: float) -> Data:
    """The data with all trials of the search at their end, 0.01 apart from 2.0 on, the last ones at ``far``."""
    changed = deepcopy(data)
    trials = changed["trials"]
    base = trials["is_base"].index(True)
    places = [place for place, stage in enumerate(trials["stage"]) if stage == "search" and place != base]
    for number, place in enumerate([base, *places]):
        trials["value"][place] = 2.0 + 0.01 * number
    for place, value in zip(places[::-1], far, strict=False):
        trials["value"][place] = value
    changed["first_knobs"] = ["optimizer.matrix_lr"]  # which every trial has
    return changed


def test_a_page_has_no_text_null_or_undefined(data: Data, texts: Callable[..., Texts]) -> None:
    whole = deepcopy(data)
    searched = [place for place, stage in enumerate(data["trials"]["stage"]) if stage == "search"]
    for place in searched:  # of a search without early stopping, whose pictures have no more to say
        whole["trials"]["value"][place] = 2.0
    for shown in (texts(data), texts(whole)):
        said = [text for section in shown.values() for text in section or []]
        assert len(said) > 100 and not {"null", "undefined", "NaN"} & set(said)


def test_a_comparison_of_campaigns_says_what_its_good_end_leaves_out(
    tmp_path: Path, texts: Callable[..., Texts]
) -> None:
    found = [load(make(tmp_path / name, 24, 5, seed)) for seed, name in enumerate(("night", "day", "dusk"))]
    data = comparison_data(compare_campaigns(found), found)
    trials = data["trials"]
    ranked = [place for place, rank in enumerate(trials["rank"]) if rank is not None]
    trials["value"][ranked[-1]] = 9.0
    assert 10 < len(ranked) <= 20, "it then begins with all"
    whole = texts(data, made=html_of_comparison)
    near = texts(data, "boards", "only the good end", made=html_of_comparison)
    assert _outside(near, "boards") == ["1 point lies right of the picture, at 9."] and _outside(whole, "boards") == []
    assert not {"null", "undefined", "NaN"} & {text for section in near.values() for text in section or []}


def test_a_picture_in_which_all_points_lie_says_of_none_that_it_lies_outside(
    data: Data, texts: Callable[..., Texts]
) -> None:
    shown = texts(_with_values(data))
    assert _outside(shown, "scatter") == [] and "dashed line is the base" in " ".join(shown["scatter"] or [])


@pytest.mark.parametrize("clicks", [(), ("scatter", "log y")])
def test_the_points_above_a_picture_are_those_that_it_does_not_draw(
    data: Data, texts: Callable[..., Texts], clicks: tuple[str, ...]
) -> None:
    assert _outside(texts(_with_values(data, 9.0), *clicks), "scatter") == ["1 point lies above the picture, at 9."]
    two = texts(_with_values(data, 9.0, 8.0), *clicks)
    assert _outside(two, "scatter") == ["2 points lie above the picture, as high as 9."]


def test_a_point_without_a_place_on_a_logarithmic_axis_is_counted(data: Data, texts: Callable[..., Texts]) -> None:
    said = texts(_with_values(data, 0.0), "scatter", "log y")["scatter"] or []
    assert "1 point lies where a logarithmic axis has no place." in said


def test_what_a_person_zooms_past_is_not_said_to_be_missing(data: Data, texts: Callable[..., Texts]) -> None:
    assert _outside(texts(_with_values(data, 9.0), "scatter", "+"), "scatter") == []


def test_a_result_above_the_axis_of_all_knobs_is_said_to_stand_at_its_top(
    data: Data, texts: Callable[..., Texts]
) -> None:
    said = [text for text in texts(_with_values(data, 9.0, 8.0))["parallel"] or [] if "at the top" in text]
    assert len(said) == 1 and said[0].startswith("2 trials above 2.") and said[0].endswith("top of that axis.")


def _with_proposals(data: Data) -> tuple[Data, int]:
    """The data with three of the trials without a value as proposals, and how many trials are left."""
    changed = deepcopy(data)
    trials = changed["trials"]
    searched = [place for place, stage in enumerate(trials["stage"]) if stage == "search"]
    for place in [place for place in searched if trials["value"][place] is None][:3]:
        trials["untrained"][place] = True
        trials["status"][place] = changed["statuses"].index("infeasible")
    return changed, len(searched) - 3


def test_proposals_are_counted_apart_from_trials_and_are_no_failed_runs(
    data: Data, texts: Callable[..., Texts]
) -> None:
    proposed, left = _with_proposals(data)
    shown = texts(proposed)
    said = " ".join(shown["bar"] or [])
    assert f"{left} trials, 3 proposals infeasible before training, 12 runs after the search" in said
    assert f" of {left} trials" in " ".join(shown["scatter"] or [])
    failures = shown["failures"] or []
    at = failures.index("proposals")
    assert failures[at - 1] == "status" and "3" in failures[at:]
    assert "runs" not in failures[at:] and "Proposals infeasible before training" in failures[:at]


def test_an_earlier_comparison_is_offered_only_where_it_has_more_values(
    data: Data, texts: Callable[..., Texts]
) -> None:
    assert "compare earlier" in " ".join(texts(data)["scatter"] or [])
    none = deepcopy(data)
    for rung in none["at_rungs"]:
        rung["values"] = [None] * len(rung["values"])
    said = " ".join(texts(none)["scatter"] or [])
    assert "no value at the end" in said and "compare earlier" not in said
