"""A confirmation that is not over: whether anything goes on with it, and the pairs that it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from results import Store, load
from results.page.data import page_data
from results.report import main
from tests.results.conftest import KNOBS

ASKED = {"space": "parameter_golf", "trials": 2}
VALUES = ((1.9, 1.8), (2.1, 1.95), (2.0, None))  # on each seed of the base and of the candidate
Row = dict[str, Any]


@pytest.fixture
def made(tmp_path: Path, make_trial: Callable[..., Row]) -> Callable[..., Path]:
    """A campaign whose confirmation has two pairs of the three that it is judged by, and a last run of some status."""

    def make(last: str, values: tuple[tuple[float | None, ...], ...] = VALUES) -> Path:
        store = Store.create(tmp_path / last, ASKED, KNOBS)
        searched = [make_trial(0, "completed", 1.9), make_trial(1, "completed", 1.8, {"optimizer.matrix_lr": 0.06})]
        rows = list(searched)
        for seed, own in enumerate(values):
            for trial, value in zip(searched, own, strict=True):
                columns = {"stage": "confirm", "arm": trial["key"], "round": 0, "design": "1x3..5", "seed": 7 + seed}
                status = last if value is None else "completed"
                changes = {} if trial is searched[0] else {"optimizer.matrix_lr": 0.06}
                rows.append(make_trial(len(rows), status, value, changes, **columns))
        for row in rows:
            store.write_trial(row)  # type: ignore[arg-type]
        return store.folder

    return make


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("running", "The confirmation on fresh seeds goes on."),
        ("interrupted", "The confirmation on fresh seeds was interrupted: a resume goes on with it."),
    ],
)
def test_a_confirmation_is_said_to_go_on_only_while_a_run_of_it_runs(made: Any, last: str, said: str) -> None:
    folder = made(last)
    data = page_data(load(folder), folder)
    assert data["verdict"]["sentence"].endswith(said) and data["confirmations"][0]["state"] == said


def test_before_its_first_verdict_it_has_the_pairs_that_ended(made: Any) -> None:
    folder = made("interrupted")
    (_, candidate) = page_data(load(folder), folder)["confirmations"][0]["arms"]
    assert candidate["pairs"] == 2, "the third seed has the base's run alone"
    assert candidate["said"] == "no verdict yet: the first is given after 3 pairs"
    assert candidate["difference"] is None and not candidate["better"]


def test_after_a_look_nobody_is_said_to_go_on_who_may_be_gone(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made("interrupted", ((1.9, 1.8), (2.1, 1.95), (2.0, 1.95), (2.0, None)))
    data = page_data(load(folder), folder)
    (_, candidate) = data["confirmations"][0]["arms"]
    assert candidate["pairs"] == 3 and candidate["said"] == "not established yet: more seeds are to come"
    assert "was interrupted" in data["verdict"]["sentence"]
    assert main([str(folder), "--no-page"]) == 0
    said = capsys.readouterr().out
    assert "not established yet: more seeds are to come" in said and "; goes on" not in said


def test_a_confirmation_that_is_over_has_no_more_to_say(made: Any) -> None:
    folder = made("completed", ((1.9, 1.8), (2.1, 2.0001), (2.0, 1.9)))
    data = page_data(load(folder), folder)
    assert data["confirmations"][0]["state"] == "" and data["verdict"]["confirmed"]
