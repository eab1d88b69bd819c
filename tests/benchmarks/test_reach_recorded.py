from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

import search_spaces
from benchmarks import reach_recorded
from benchmarks.reach_recorded import OUR_PARTS, Place, Task, compute_to_reach, main, persons, target_of
from benchmarks.tables import PARTS
from trainable.config import Budget

VALUES = {"base": [3.0, 3.1, 3.2], "complete": [2.5, 2.6, 2.7], "cut off": [2.6, 2.7, 2.8]}


def found(values: list[float], again: float) -> dict[str, object]:
    return {"finished": [[float(n + 1), v] for n, v in enumerate(values)], "again": [again] * 3}


def test_the_target_is_the_lower_mean_of_the_persons_two_forms_and_noise_is_pooled() -> None:
    assert target_of(VALUES) == (pytest.approx(2.6), pytest.approx(0.1))


def test_compute_counts_until_the_first_whole_trial_that_is_there() -> None:
    campaign = found([3.0, 2.6, 2.5], 2.6)
    assert compute_to_reach(campaign, 2.6) == 2.0 and compute_to_reach(campaign, 2.4) == math.inf


def test_rungs_are_the_searchs_own_in_ninths() -> None:
    assert OUR_PARTS == (2, 4, PARTS)


def test_the_persons_best_has_the_budget_of_every_trial_and_once_the_logs_part_of_its_schedule() -> None:
    space = search_spaces.load("parameter_golf")
    base = replace(space.scale("proxy").base, budget=Budget(steps=120))
    forms = persons(Place(space, base, dataset=None))  # type: ignore[arg-type]
    assert {form.budget.steps for form in forms.values()} == {120}
    assert forms["complete"].horizon is None and forms["cut off"].horizon == Budget(steps=174)  # 120 x 400 / 276


def test_the_report_says_how_many_were_there_and_after_how_much(tmp_path, capsys) -> None:
    (tmp_path / "target.json").write_text(json.dumps({"steps": 120, "values": VALUES}))
    for seed, values in enumerate(([3.0, 2.6], [3.0, 2.7, 2.5], [3.0])):
        (tmp_path / f"cold-{seed}.json").write_text(json.dumps(found(values, 2.55)))
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "3.0 (2.0, 3.0, not reached)" in printed and "-0.0500" in printed and "noise SD 0.1000" in printed


def leave_a_mark(task: Task) -> None:
    task.file.write_text("run")


def test_a_campaign_that_is_there_is_not_run_again(tmp_path) -> None:
    (tmp_path / "cold-0.json").write_text("kept")
    there, missing = (Task(tmp_path, 120, 33.0, "cold", seed) for seed in (0, 1))
    assert reach_recorded.run([there, missing], 1, do=leave_a_mark) == [missing]
    assert (there.file.read_text(), missing.file.read_text()) == ("kept", "run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "wram"], "unknown method 'wram': did you mean 'warm'"),
        ([], "has no target.json"),
        (["--methods", "cold", "--steps", "60"], "was begun with --steps 120"),
    ],
)
def test_a_bad_call_is_one_line(arguments, message, tmp_path, capsys) -> None:
    if "--steps" in arguments:
        (tmp_path / "target.json").write_text(json.dumps({"steps": 120, "values": VALUES}))
    assert main([str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err
