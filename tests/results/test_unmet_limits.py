"""A search in which no trial meets its limits: which limits, the nearest value and its trial, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from results import Store, report
from results.page.verdict import sentence_of
from results.questions.next_steps import next_steps
from results.store import frames
from results.unmet_limits import limits_of, nearest_to_limits
from tests.results.conftest import KNOBS
from tuner import export, status
from tuner.campaign.notify import verdict_of

FACT = "No trial meets the limit val_bpb<=1.2: the nearest is trial 1 with val_bpb 1.3"
CONFIG = '{"type": "TrainConfig"}'
Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path, make_trial) -> Made:
    """The folder of a campaign with these constraints and trials: number -> status and further columns."""

    def make(*constraints: str, trials: list[tuple[str, dict[str, Any]]], **campaign: Any) -> Path:
        about = {"space": "parameter_golf", "scale": "proxy", "trials": len(trials), "objectives": ["val_bpb"]}
        store = Store.create(tmp_path / "made", {**about, "constraints": list(constraints), **campaign}, KNOBS)
        for number, (ended, columns) in enumerate(trials):
            value = columns.get("val_bpb")
            changes = {"optimizer.matrix_lr": 0.1 + number} if number else {}
            store.write_trial(
                make_trial(number, ended, value, changes, **{"reason": "too much", "config": CONFIG, **columns})
            )
        return store.folder

    return make


def beyond(*values: float) -> list[tuple[str, dict[str, Any]]]:
    return [("infeasible", {"val_bpb": value, "spent": 240.0}) for value in values]


def nearest(folder: Path) -> Any:
    results = frames.load(folder)
    from results.plain_rows import plain_rows

    return nearest_to_limits(results.campaign, plain_rows(results.rows))


def test_the_limit_the_nearest_value_its_trial_and_what_to_do_are_said(made) -> None:
    found = nearest(made("val_bpb<=1.2", trials=beyond(1.5, 1.2999, 1.4)))
    assert found.fact == FACT.replace("1.3", "1.2999")
    assert found.options == "--constraint 'val_bpb<=1.3'", "rounded so that the trial meets it"
    assert found.advice == (
        "begin a search with a limit that trial 1 would meet (--constraint 'val_bpb<=1.3') or longer trials "
        "(--set budget.steps=480), or resume this one for more trials"
    )


@pytest.mark.parametrize(
    ("limit", "columns", "said", "option"),
    [
        ("val_bpb<=1.2 margin 10%", {"val_bpb": 1.0999}, "val_bpb 1.0999", "--constraint 'val_bpb<=1.1'"),
        ("core>=0.25", {"core": 0.12345}, "core 0.1235", "--constraint 'core>=0.123'"),
        ("core>=0.25 margin 4%", {"core": 0.2599}, "core 0.2599", "--constraint 'core>=0.259'"),
        ("parameters<=10000", {"parameters": 326216}, "parameters 326,216", "--constraint 'parameters<=327000'"),
        ("step_seconds<=0.1", {"train_seconds": 10.0, "steps": 4}, "step_seconds 2.5", "'step_seconds<=2.5'"),
        ("train_seconds<=5", {"train_seconds": 10.0, "extra_seconds": 3.0}, "train_seconds 7.0", "'train_seconds<=7'"),
    ],
)
def test_limits_of_every_kind_are_measured_as_the_search_did(made, limit, columns, said, option) -> None:
    found = nearest(made(limit, trials=[("infeasible", {**columns, "spent": 1.0})]))
    assert said in found.fact and option in found.options
    assert bool(found.longer) is (not limit.startswith(("parameters", "step_seconds", "train_seconds")))


def test_of_several_limits_the_trial_is_named_that_is_least_beyond_any(made) -> None:
    trials = [
        ("infeasible", {"val_bpb": 1.21, "parameters": 900, "spent": 1.0}),
        ("infeasible", {"val_bpb": 1.3, "parameters": 110, "spent": 1.0}),
        ("infeasible", {"val_bpb": 1.1, "parameters": 115, "spent": 1.0}),
        ("infeasible", {"parameters": 101, "config": "null"}),  # refused before it was trained
    ]
    found = nearest(made("val_bpb<=1.2", "parameters<=100", trials=trials))
    near = "the nearest is trial 1 with val_bpb 1.3000 and parameters 110"
    assert found.fact == f"No trial meets all of the limits val_bpb<=1.2, parameters<=100: {near}"
    assert found.options == "--constraint 'val_bpb<=1.3' --constraint 'parameters<=110'"


def test_the_limit_of_an_artifact_is_one_of_them(made) -> None:
    base = {"artifact": {"limit_bytes": 1000}}
    found = nearest(made(trials=[("infeasible", {"artifact_bytes": 1234, "spent": 1.0})], base=base))
    assert (
        found.fact == "No trial meets the limit artifact_bytes<=1000: the nearest is trial 0 with artifact_bytes 1,234"
    )
    assert found.options == "--set artifact.limit_bytes=1240"


def test_one_limit_that_is_asked_for_twice_is_said_once_and_eased_twice(made) -> None:
    trials = [("infeasible", {"artifact_bytes": 1234, "spent": 1.0})]
    found = nearest(made("artifact_bytes<=1000", trials=trials, base={"artifact": {"limit_bytes": 1000}}))
    assert (
        found.fact == "No trial meets the limit artifact_bytes<=1000: the nearest is trial 0 with artifact_bytes 1,234"
    )
    assert found.options == "--constraint 'artifact_bytes<=1240' --set artifact.limit_bytes=1240"


def test_nothing_is_said_where_a_trial_meets_them_or_none_broke_one(made, tmp_path: Path) -> None:
    met = [*beyond(1.5), ("completed", {"val_bpb": 1.1, "spent": 240.0})]
    assert nearest(made("val_bpb<=1.2", trials=met)) is None
    assert nearest_to_limits({"constraints": ["val_bpb<=1.2"]}, [{"status": "crashed", "number": 0}]) is None
    invalid = {"status": "infeasible", "number": 0, "val_bpb": None}
    assert nearest_to_limits({"constraints": ["val_bpb<=1.2"]}, [invalid]) is None
    assert limits_of({"constraints": ["something else", "val_bpb<=x"]}) == []


def test_report_status_page_and_notice_say_it(made, capsys) -> None:
    folder = made("val_bpb<=1.2", trials=beyond(1.5, 1.3))
    assert report.main([str(folder), "--no-page"]) == 0
    out = capsys.readouterr().out
    assert f"{FACT}000." in out
    assert "What next: Other limit (2 trials" in out and "trial 1 would meet --constraint 'val_bpb<=1.3'" in out
    assert "python -m tuner.run --space parameter_golf --scale proxy --trials 2 --objective val_bpb" in out
    assert "0 of 2 trials begun" not in out, "they have been trained"
    assert status.main([str(folder)]) == 0 and f"{FACT}000." in capsys.readouterr().out
    results = frames.load(folder)
    said = sentence_of(results, results.trials, [])
    assert said.sentence.startswith(f"{FACT}000. To go on, begin a search with") and said.tone == "failed"
    assert verdict_of(Store.open(folder)) == (f"{FACT}000", "", "")


def test_an_export_says_which_limit_stands_in_its_way(made, capsys) -> None:
    folder = made("val_bpb<=1.2", trials=beyond(1.5, 1.3))
    assert export.main([str(folder)]) == 2
    error = capsys.readouterr().err
    assert "campaign 'made' has no weights: no trial meets the limit val_bpb<=1.2: the nearest is trial 1" in error
    assert "(--constraint 'val_bpb<=1.3')" in error and "completed" not in error and error.count("\n") == 1
    assert export.main([str(folder), "--trial", "0"]) == 2
    assert "it is infeasible, and those of a trial beyond a limit are not kept: too much" in capsys.readouterr().err


def test_trials_beyond_a_limit_count_as_begun_and_those_that_made_no_config_do_not(made) -> None:
    folder = made("val_bpb<=1.2", trials=[*beyond(1.5, 1.3), ("infeasible", {"config": "null"})])
    first = next_steps(frames.load(folder)).to_dict("records")[0]
    assert first["step"] == "finish" and "2 of 3 trials begun" in first["why"]


def test_a_base_beyond_a_limit_is_said_to_be_why_nothing_is_compared(made, capsys) -> None:
    folder = made("val_bpb<=1.2", trials=[*beyond(1.5), ("completed", {"val_bpb": 1.1, "spent": 240.0})])
    assert report.main([str(folder), "--no-page"]) == 0
    out = capsys.readouterr().out
    assert "nothing to compare with: the base is beyond a limit, too much." in out
    assert "--confirm" not in out, "no run on fresh seeds could be paired with it"


def test_whoever_kept_all_weights_is_not_told_to_keep_all(made, capsys) -> None:
    folder = made("val_bpb<=1.2", trials=beyond(1.5, 1.3), keep="all")
    assert export.main([str(folder), "--trial", "0"]) == 2
    said = capsys.readouterr().err
    assert "no trial has any, as none meets the limits: begin a search with a limit that trial 1 would meet" in said
    assert "--keep" not in said and said.count("\n") == 1
