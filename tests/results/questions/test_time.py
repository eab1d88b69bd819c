"""Where the seconds of each slot went."""

from __future__ import annotations

from datetime import timedelta

import pytest

from results import load
from results.questions.time import SPENT_ON, slot_seconds, time
from tests.results.conftest import START

LR = {"optimizer.matrix_lr": 0.1}


def test_the_seconds_of_a_run_are_training_evaluation_compiling_and_the_rest_is_set_up(ended, written) -> None:
    row = ended(0, "completed", 1.5, at=20.0, took=18.0, train_seconds=10.0, eval_seconds=4.0, compile_seconds=1.0)
    (found,) = time(written([row])).to_dict("records")
    assert [found[name] for name in SPENT_ON] == pytest.approx([10.0, 4.0, 1.0, 3.0, 0.0])
    assert (found["seconds"], found["slot"], found["stage"], found["is_running"]) == (18.0, 0, "search", False)


def test_a_run_takes_a_slot_that_is_free_and_its_idle_seconds_are_counted(ended, written) -> None:
    rows = [
        ended(0, "completed", 1.5, at=10.0, took=10.0),
        ended(1, "completed", 1.5, LR, at=30.0, took=28.0),  # from 2: beside the first
        ended(2, "completed", 1.4, {"optimizer.matrix_lr": 0.2}, at=20.0, took=7.0),  # from 13: after the first
    ]
    campaign = written(rows)
    found = time(campaign)
    assert found[["slot", "trial"]].to_numpy().tolist() == [[0, 0], [0, 2], [1, 1]]
    assert found["idle_before_seconds"].fillna(-1).tolist() == pytest.approx([-1, 3, -1])
    sums = slot_seconds(campaign).set_index("slot")
    assert sums["seconds"].tolist() == [30.0, 30.0] and sums["runs"].tolist() == [2, 1]
    assert sums["idle_seconds"].tolist() == pytest.approx([13.0, 2.0]) and sums["paused_seconds"].tolist() == [0, 0]
    assert sums["busy"].tolist() == pytest.approx([17 / 30, 28 / 30])
    whole = sums[[*SPENT_ON, "idle_seconds", "paused_seconds"]].sum(axis=1)
    assert whole.tolist() == pytest.approx([30.0, 30.0]), "all seconds are somewhere"


def test_a_run_prefers_the_slot_of_its_process_and_none_on_another_host(ended, written) -> None:
    workers = ["a:1", "b:2", "b:2", "a:3", "c:4"]
    times = [(10, 10), (11, 11), (20, 5), (20, 8), (30, 5)]
    rows = [
        ended(n, "completed", 1.5, LR if n else {}, at=at, took=took, worker=worker, key=f"{n:016x}")
        for n, (worker, (at, took)) in enumerate(zip(workers, times, strict=True))
    ]
    found = time(written(rows)).set_index("trial")
    assert found["slot"].sort_index().tolist() == [0, 1, 1, 0, 2]
    assert found["host"].sort_index().tolist() == ["a", "b", "b", "a", "c"]


def test_a_gap_in_which_nothing_ran_anywhere_is_a_pause_and_not_idle(ended, written) -> None:
    rows = [
        ended(0, "completed", 1.5, at=10.0, took=10.0),
        ended(1, "completed", 1.4, LR, at=8.0, took=8.0),
        ended(2, "completed", 1.3, {"optimizer.matrix_lr": 0.2}, at=1010.0, took=10.0),
    ]
    found = slot_seconds(written(rows)).set_index("slot")
    assert found["paused_seconds"].tolist() == [990.0, 990.0] and found["idle_seconds"].tolist() == [0.0, 12.0]
    assert found["busy"].tolist() == pytest.approx([1.0, 8 / 20])


def test_a_run_that_went_on_after_an_interruption_is_not_split(ended, written) -> None:
    row = ended(0, "completed", 1.5, at=20.0, took=5.0, train_seconds=100.0, attempt=2)
    (found,) = time(written([row])).to_dict("records")
    assert (found["unsplit_seconds"], found["training_seconds"], found["setup_seconds"]) == (5.0, 0.0, 0.0)


def test_a_run_that_goes_on_is_there_until_its_last_report_and_keeps_its_slot(ended, written) -> None:
    on = ended(0, "running", 1.5, at=18.0, took=18.0, ended_at=None, train_seconds=6.0)
    rows = [on, ended(1, "completed", 1.4, LR, at=40.0, took=10.0), ended(2, "running", None, LR, ended_at=None)]
    report = {"key": on["key"], "attempt": 1, "step": 20, "at": START + timedelta(seconds=12)}
    campaign = written([rows[0], rows[1], {**rows[2], "eval_seconds": None}], [report])
    found = time(campaign).set_index("trial")
    assert found["slot"].sort_index().tolist() == [0, 1, 2] or found.loc[1, "slot"] == 1
    assert found.loc[0, ["is_running", "seconds", "setup_seconds"]].tolist() == [True, 12.0, 2.0]
    assert found.loc[2, ["ended_at", "seconds", "training_seconds"]].isna().all()
    assert slot_seconds(campaign)["runs"].tolist() == [1, 1], "one without a report has no seconds yet"


def test_a_trial_of_another_campaign_and_one_that_never_began_have_no_row(ended, written) -> None:
    rows = [ended(0, "completed", 1.5), ended(1, "completed", 1.4, LR, reused_from="before")]
    rows.append(ended(2, "infeasible", None, {"model.tied": False}, started_at=None, ended_at=None))
    assert time(written(rows))["trial"].tolist() == [0]
    assert time(written([], name="empty")).empty and slot_seconds(written([], name="nothing")).empty


def test_runs_after_the_search_are_there_too(confirmed) -> None:
    assert time(confirmed(ablated=True))["stage"].value_counts().to_dict() == {"confirm": 9, "search": 6, "ablate": 6}


@pytest.mark.parametrize("space", ["parameter_golf", "ngpt"])
def test_a_real_replay_on_two_cores_had_two_slots_that_were_busy(space) -> None:
    campaign = load(f"results/recorded/{space}")
    runs, found = time(campaign), slot_seconds(campaign)
    assert len(found) == 2 and len(runs) == int(campaign.rows["reused_from"].isna().sum()) > 20
    assert (found["busy"] > 0.98).all() and (runs["setup_seconds"] >= 0).all()
    whole = found[[*SPENT_ON, "idle_seconds", "paused_seconds"]].sum(axis=1)
    assert whole.tolist() == pytest.approx(found["seconds"].tolist())
