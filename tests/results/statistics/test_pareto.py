from __future__ import annotations

import io

import pandas as pd

from results import Store, load
from results.report import print_leaderboard
from results.statistics.leaderboard import leaderboard
from results.statistics.pareto import costs, front
from terminal.console import Console
from tests.results.conftest import KNOBS


def trials(*pairs: tuple[float | None, float | None], status: str = "completed") -> pd.DataFrame:
    columns = ["value", "train_seconds"]
    frame = pd.DataFrame(pairs, columns=columns).astype(float)
    return frame.assign(status=status, steps=10, key=[f"k{i}" for i in range(len(frame))])


def test_the_front_holds_what_no_other_trial_beats() -> None:
    frame = trials((1.0, 9.0), (1.1, 9.5), (1.2, 5.0), (1.3, 5.0), (1.4, 1.0))
    assert front(frame, "train_seconds").tolist() == [True, False, True, False, True]


def test_equals_are_on_the_front_together() -> None:
    assert front(trials((1.0, 2.0), (1.0, 2.0), (1.0, 3.0)), "train_seconds").tolist() == [True, True, False]


def test_trials_that_did_not_complete_or_lack_a_value_are_not_on_it() -> None:
    assert not front(trials((1.0, 1.0), status="stopped"), "train_seconds").any()
    assert front(trials((1.0, None), (2.0, 1.0)), "train_seconds").tolist() == [False, True]


def test_seconds_a_step_are_worked_out() -> None:
    frame = trials((1.0, 9.0), (1.1, 9.0)).assign(steps=pd.array([10, 100], dtype="Int64"))
    assert front(frame, "step_seconds").tolist() == [True, True]
    assert front(frame, "train_seconds").tolist() == [True, False]


def test_what_was_trained_beside_a_run_to_judge_it_is_no_cost_of_its_config() -> None:
    frame = trials((1.0, 9.0), (1.1, 12.0)).assign(extra_seconds=[None, 8.0])
    assert front(frame, "train_seconds").tolist() == [True, True]


def test_a_leaderboard_of_two_objectives_says_who_is_on_the_front() -> None:
    frame = trials((1.1, 9.5), (1.0, 9.0), (1.2, 5.0)).assign(is_base=False, rung=None, last_value=None)
    assert leaderboard(frame, "train_seconds")["front"].tolist() == [True, False, True]
    assert leaderboard(frame)["front"].isna().all()


def test_the_report_marks_the_front_and_shows_it_below_the_top_too(tmp_path, make_trial) -> None:
    campaign = {"space": "parameter_golf", "objectives": ["val_bpb", "train_seconds"]}
    store = Store.create(tmp_path / "two", campaign, KNOBS)
    rows = [(1.2, {}, 9.0), (1.1, {"optimizer.matrix_lr": 0.1}, 8.0), (1.3, {"optimizer.matrix_lr": 0.2}, 2.0)]
    for number, (value, changes, seconds) in enumerate(rows):
        store.write_trial(make_trial(number, "completed", value, changes, train_seconds=seconds))
    file = io.StringIO()
    print_leaderboard(Console(file=file, width=120), load(store.folder), top=1)
    lines = file.getvalue().splitlines()
    marked = [line.split()[1] for line in lines if "completed front" in line]
    assert marked == ["1", "2"] and any("train_seconds=2 optimizer.matrix_lr=0.2" in line for line in lines)
    assert "front: no other trial is as good in both val_bpb and train_seconds." in lines


def test_a_trial_without_a_step_has_no_time_a_step_and_one_with_a_single_step_has() -> None:
    frame = trials((1.0, 6.0), (2.0, 6.0), (3.0, 6.0)).assign(steps=[0, 1, 4])
    assert costs(frame, "step_seconds").tolist() == [pd.NA, 6.0, 1.5]
