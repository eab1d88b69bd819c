from __future__ import annotations

import dataclasses
import itertools
import json
import math
import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from results.store.statuses import ENDED
from search_spaces.domains import Choice
from search_spaces.space import Knob
from tests.newest_checkpoint import newest
from trainable.component_json import decode
from trainable.config import Budget
from trainable.worker.attempt import STOP_FILE
from tuner.loop.endings import SAME_ERRORS
from tuner.search_loop import Search


def study_states(search: Search) -> list[TrialState]:
    return [trial.state for trial in search.proposals.sampler.study.get_trials(deepcopy=False)]


def journal_states(folder: Path) -> list[TrialState]:
    """As somebody else would read the journal, optuna-dashboard say."""
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "optuna.journal"))
    study = optuna.load_study(study_name=folder.name, storage=optuna.storages.JournalStorage(backend))
    return [trial.state for trial in study.get_trials(deepcopy=False)]


# --- what is tried ----------------------------------------------------------------------------------------------------


def test_the_base_config_is_the_first_trial_and_keeps_its_own_key(bench, play) -> None:
    search = bench.search()
    request = search.next()
    assert request.key == bench.base_key
    assert decode(json.loads(request.config)) == bench.base
    search.start(request.key)
    (row,) = bench.rows()
    assert row["is_base"] and row["number"] == 0 and json.loads(row["overrides"]) == {}


def test_exactly_as_many_trials_start_as_the_budget_says(bench, play) -> None:
    tune = play(bench.search(trials=11, slots=3)).run()
    rows = [row for row in bench.rows() if row["status"] != "infeasible"]
    assert len(rows) == len(tune.started) == len(set(tune.started)) == 11
    assert {row["status"] for row in rows} == {"completed", "stopped"}


def test_all_trials_together_look_into_the_folder_at_most_two_hundred_times_a_second(bench) -> None:
    assert bench.search(trials=1, slots=1).next().look_seconds < 0.5, "few look as often as they poll"
    assert bench.search(trials=1, slots=1000).next().look_seconds == 1000 / 200


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_no_more_trials_are_live_than_there_are_slots(bench, play, slots) -> None:
    assert play(bench.search(trials=9, slots=slots)).run().most_live == slots


def test_numbers_count_the_trials_without_a_repetition(bench, play) -> None:
    play(bench.search(trials=12)).run()
    numbers = [row["number"] for row in bench.rows()]
    assert sorted(numbers) == list(range(len(numbers)))


def test_numbers_stay_unique_after_a_trial_that_was_asked_for_but_never_started(bench, play) -> None:
    search = bench.search(trials=6, slots=3)
    requests = [search.next() for _ in range(3)]
    search.start(requests[2].key)  # the others wait for a slot when the driver ends
    search.abandon()
    play(bench.search(trials=6)).run()
    numbers = [row["number"] for row in bench.rows()]
    assert len(numbers) == len(set(numbers))


def test_a_finished_trial_over_a_limit_is_infeasible_with_its_numbers_and_still_a_trial(bench, play, result_of) -> None:
    search = bench.search(trials=2, slots=1)
    key = search.next().key
    search.start(key)
    says = "artifact 16,123,456 > 16,000,000 bytes"
    result = result_of(bench.base, 240.0, 1.0, "completed") | {"artifact_bytes": 16_123_456, "val_bpb_quantised": 1.1}
    search.report(key, result | {"violation": says})
    search.end(key, result | {"violation": says})
    (row,) = bench.rows()
    assert (row["status"], row["reason"], row["value"], row["last_value"]) == ("infeasible", says, None, 1.0)
    assert (row["artifact_bytes"], row["val_bpb_quantised"]) == (16_123_456, 1.1)
    assert search.num_started == 1 and search.ledger.best() is None
    again = bench.search(trials=2, slots=1)  # it was tried, and is not tried again
    assert again.num_started == 1 and again.next().key != key
    assert study_states(again)[0] == TrialState.PRUNED


def test_values_that_make_no_valid_model_become_an_infeasible_row_and_cost_no_trial(bench, play) -> None:
    tune = play(bench.search(trials=12)).run()
    refused = [row for row in bench.rows() if row["status"] == "infeasible"]
    assert refused, "the toy space has many of them"
    for row in refused:
        assert row["model.encoder_layers"] > 3 and "encoder_layers" in row["reason"]
        assert row["key"] not in tune.started and row["attempt"] is None
    assert len(tune.started) == 12
    assert len(refused) < 12, "the sampler must learn that they are of no use"


def test_refused_values_that_are_suggested_again_keep_their_one_row(bench) -> None:
    search = bench.search()
    search.ledger.refuse({"model.encoder_layers": 7}, "too many", None)
    first = bench.rows()
    search.ledger.refuse({"model.encoder_layers": 7}, "too many", None)
    assert bench.rows() == first


def test_a_base_that_a_start_lost_before_its_first_row_is_the_first_trial_of_the_next_start(bench, play) -> None:
    search = bench.search()
    assert search.next().key == bench.base_key  # the driver is killed here; what it refused meanwhile has a row
    search.ledger.refuse({"model.encoder_layers": 7}, "too many", None)
    assert [row["status"] for row in bench.rows()] == ["infeasible"]
    again = bench.search(trials=4)
    tune = play(again).run()
    assert len(tune.started) == 4 and tune.started.count(bench.base_key) == 1
    (base,) = [row for row in bench.rows() if row["is_base"]]
    assert base["status"] == "completed" and base["number"] == min(
        row["number"] for row in bench.rows() if row["attempt"]
    )


def test_a_clock_that_runs_backwards_changes_nothing_but_the_times(make_bench, play) -> None:
    def campaign(name: str, hours_a_look: int) -> list[dict[str, Any]]:
        bench, looks = make_bench(name), itertools.count()
        for trials in (6, 12):  # the second start rebuilds sampler and rungs from rows with such times
            search = bench.search(trials=trials)
            search.ledger.now = lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours_a_look * next(looks))
            play(search).run()
        return sorted(bench.rows(), key=lambda row: row["number"])

    def timeless(rows: list[dict[str, Any]]) -> str:
        return repr([{k: v for k, v in row.items() if k not in ("campaign", "started_at", "ended_at")} for row in rows])

    back = campaign("back", -1)
    assert all(row["ended_at"] < row["started_at"] for row in back if row["attempt"])
    assert timeless(back) == timeless(campaign("forth", 1))


@pytest.fixture
def two_configs(make_bench, toy_space) -> Any:
    """A campaign over a space of two configs."""
    knob = Knob("model.tie_embeddings", Choice(True, False), "two configs")
    return make_bench("two", dataclasses.replace(toy_space, knobs=(knob,)))


def test_a_duplicate_is_not_run_again_but_told_its_known_value(two_configs, play) -> None:
    search = two_configs.search(trials=5, slots=1, stopper="none")
    tune = play(search).run()
    assert len(tune.started) == 2, "there are two configs"
    trials = search.proposals.sampler.study.get_trials(deepcopy=False)
    assert len(trials) > 2
    values = {row["model.tie_embeddings"]: row["value"] for row in two_configs.rows()}
    for trial in trials:
        assert trial.state == TrialState.COMPLETE
        assert trial.value == values[trial.params["model.tie_embeddings"]]
        assert {60, 120} <= set(trial.intermediate_values)


def test_a_space_without_further_configs_ends_the_campaign_but_not_the_trials_that_run(two_configs, play) -> None:
    search = two_configs.search(trials=5, slots=3)
    tune = play(search).run()
    assert sorted(tune.started) == sorted(tune.ended) and len(tune.started) == 2
    assert {row["status"] for row in two_configs.rows()} <= {"completed", "stopped"}
    assert "no further configs" in search.stopping
    assert not (two_configs.folder / STOP_FILE).exists()


def test_one_seed_suggests_one_sequence_and_another_seed_another(make_bench, play) -> None:
    def configs(name: str, seed: int) -> list[str]:
        bench = make_bench(name)
        play(bench.search(trials=12, slots=1, seed=seed)).run()
        return [row["key"] for row in bench.rows()]

    first = configs("a", 3)
    assert configs("b", 3) == first
    assert not set(configs("c", 4)[1:]) & set(first[1:])


# --- how trials end ---------------------------------------------------------------------------------------------------


def test_a_trial_that_early_stopping_ends_is_pruned_in_the_study_and_says_why_in_its_row(bench, play) -> None:
    search = bench.search(trials=12)
    play(search).run()
    stopped = [row for row in bench.rows() if row["status"] == "stopped"]
    assert stopped
    trials = {trial.number: trial for trial in search.proposals.sampler.study.get_trials(deepcopy=False)}
    for row in stopped:
        assert row["rung"] in (60, 120) and row["spent"] == row["rung"] == row["steps"]
        assert row["last_value"] > row["cutoff"] and row["value"] is None
        compared = f"rung {row['rung']:g}: {row['last_value']:.4f} > {row['cutoff']:.4f}"
        words = r"\(the one trial there before it\)|\(the best half of \d+ there before it\)"
        assert re.fullmatch(f"{re.escape(compared)} ({words})", row["reason"])
        trial = trials[row["optuna_number"]]
        assert trial.state == TrialState.PRUNED
        reports = {r["milestone"]: r["val_bpb"] for r in bench.store().reports(row["key"])}
        assert trial.intermediate_values == reports and row["rung"] in reports


def test_the_base_is_never_stopped(bench, play, toy_curve) -> None:
    def worst_base(config: Any, milestone: float) -> float:
        return 9.0 if config == bench.base else toy_curve(config, milestone)

    for seed in range(3):
        bench.folder = bench.folder.with_name(f"campaign-{seed}")
        play(bench.search(trials=9, slots=3), worst_base, seed=seed).run()
        (row,) = [row for row in bench.rows() if row["is_base"]]
        assert row["status"] == "completed" and row["value"] == 9.0


def test_without_early_stopping_every_trial_completes(bench, play) -> None:
    play(bench.search(stopper="none")).run()
    assert {row["status"] for row in bench.rows()} <= {"completed", "infeasible"}


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_a_diverged_trial_is_told_as_untrainable_and_its_value_never_is(bench, play, toy_curve, value) -> None:
    def diverging(config: Any, milestone: float) -> float | None:
        return value if config.optimizer.matrix_lr > 0.06 else toy_curve(config, milestone)

    search = bench.search(trials=9)
    play(search, diverging).run()
    diverged = [row for row in bench.rows() if row["status"] == "diverged"]
    assert diverged
    trials = {trial.number: trial for trial in search.proposals.sampler.study.get_trials(deepcopy=False)}
    for row in diverged:
        assert "not finite" in row["reason"] and row["value"] is None
        trial = trials[row["optuna_number"]]
        assert trial.state == TrialState.PRUNED and trial.constraints == {"trains": 1.0}
    for trial in trials.values():
        told = [*trial.intermediate_values.values(), *(trial.values or [])]
        assert all(math.isfinite(v) for v in told)


def test_a_trial_ended_for_a_value_that_is_not_finite_counts_as_diverged(bench, result_of) -> None:
    """Also where the trial itself took the value for one to go on with."""
    search = bench.search()
    key = search.next().key
    search.start(key)
    result = result_of(bench.base, 27.0, math.nan, "running")
    search.report(key, result)
    search.end(key, result)
    (row,) = bench.rows()
    assert row["status"] == "diverged" and row["reason"] == "val_bpb is not finite at milestone 27"


def test_a_crash_is_told_as_a_failure_and_keeps_its_whole_error(bench, play, toy_curve) -> None:
    def crashing(config: Any, milestone: float) -> float:
        if milestone == 120 and config != bench.base:
            raise RuntimeError(f"made up at rate {config.optimizer.matrix_lr}")
        return toy_curve(config, milestone)

    search = bench.search(trials=9)
    play(search, crashing).run()
    crashed = [row for row in bench.rows() if row["status"] == "crashed"]
    assert crashed and not search.stopping, "no two errors are the same"
    trials = {trial.number: trial for trial in search.proposals.sampler.study.get_trials(deepcopy=False)}
    for row in crashed:
        assert row["reason"] == f"RuntimeError: made up at rate {row['optimizer.matrix_lr']}"
        assert trials[row["optuna_number"]].state == TrialState.FAIL
        assert "RayTrainable.train() (made up)" in (bench.folder / "errors" / f"{row['key']}.txt").read_text()


def test_a_trial_that_dies_while_it_is_set_up_counts_as_one_attempt(bench) -> None:
    search = bench.search()
    key = search.next().key
    search.fail(key, "")
    (row,) = bench.rows()
    assert row["status"] == "crashed" and row["reason"] == "died without an error message"
    assert row["attempt"] == 1 and row["started_at"] is not None


def test_three_equal_errors_in_a_row_end_the_campaign(bench, play, toy_curve) -> None:
    def crashing(config: Any, milestone: float) -> float:
        if config == bench.base:
            return toy_curve(config, milestone)
        raise OSError("the disk is full")

    search = bench.search(trials=20, slots=1)
    tune = play(search, crashing).run()
    assert len(tune.started) == 1 + SAME_ERRORS
    assert search.stopping == "3 trials in a row ended with the same error: OSError: the disk is full"


@pytest.mark.parametrize("error", [RuntimeError("a bug"), MemoryError("out of memory")])
def test_a_base_that_crashes_ends_the_search_and_is_tried_again_by_a_resume(bench, play, toy_curve, error) -> None:
    def crashing(config: Any, milestone: float) -> float:
        if config == bench.base:
            raise error
        return toy_curve(config, milestone)

    search = bench.search(trials=20, slots=1)
    tune = play(search, crashing).run()
    search.abandon()
    assert tune.started == [bench.base_key]
    assert search.stopping.startswith("the base config crashed") and str(error) in search.stopping
    crashed = {row["key"]: row["status"] for row in bench.rows()}
    assert crashed[bench.base_key] == "crashed" and list(crashed.values()).count("crashed") == 1

    again = bench.search(trials=8, slots=3)
    assert dict(again.ledger.base_values) not in [end.values for end in again.ledger.ends()]
    tune = play(again).run()
    assert bench.base_key in tune.started and not again.stopping
    rows = {row["key"]: row for row in bench.rows()}
    assert rows[bench.base_key]["status"] == "completed" and rows[bench.base_key]["attempt"] == 2
    assert rows[bench.base_key]["reason"] is None
    assert len([row for row in rows.values() if row["status"] != "infeasible"]) == 8


def test_equal_errors_between_trials_that_work_do_not_end_the_campaign(bench, play, toy_curve) -> None:
    count = iter(range(1000))

    def crashing(config: Any, milestone: float) -> float:
        if milestone == 60 and next(count) % 3:
            raise OSError("out of memory")
        return toy_curve(config, milestone)

    search = bench.search(trials=14, slots=1)
    play(search, crashing).run()
    assert not search.stopping
    assert Counter(row["status"] for row in bench.rows())["crashed"] > SAME_ERRORS


def test_nothing_is_left_running_in_the_study_at_the_end(bench, play) -> None:
    search = bench.search(trials=9, slots=3)
    play(search).run()
    search.abandon()
    assert TrialState.RUNNING not in journal_states(bench.folder)


@pytest.mark.parametrize("events", [0, 1, 2, 4, 7, 11])
def test_nothing_is_left_running_after_a_campaign_is_abandoned(bench, play, events) -> None:
    search = bench.search(trials=9, slots=3)
    play(search).run(events)
    search.abandon()
    assert TrialState.RUNNING not in journal_states(bench.folder)
    assert "running" not in {row["status"] for row in bench.rows()}
    assert not (bench.folder / STOP_FILE).exists()


def test_trials_that_a_killed_start_left_running_and_nobody_offered_again_are_settled(bench, play) -> None:
    play(bench.search(trials=9, slots=4)).run(9)  # killed
    assert "running" in {row["status"] for row in bench.rows()}
    bench.search(trials=9, slots=4).abandon()
    assert "running" not in {row["status"] for row in bench.rows()}


# --- ends of a campaign -----------------------------------------------------------------------------------------------


def test_no_trial_starts_after_the_hours_are_over_and_running_ones_are_interrupted(bench, play) -> None:
    search = bench.search(trials=50, hours=0.5)
    tune = play(search).run(10)
    bench.now = 1799.0
    assert not search.exhausted
    bench.now = 1800.0
    assert search.exhausted and (bench.folder / STOP_FILE).exists()
    started = list(tune.started)
    live = [*tune.running]
    tune.pending.clear()
    tune.run()
    assert tune.started == started and search.stopping == "the 0.5 hours are over"
    rows = {row["key"]: row for row in bench.rows()}
    assert live and all(rows[key]["status"] == "interrupted" for key in live)


def test_a_stopped_campaign_interrupts_its_trials_with_a_checkpoint_in_their_rows(bench, play) -> None:
    search = bench.search(trials=9, slots=2)
    tune = play(search).run(5)
    search.stop("interrupted")
    tune.run()
    interrupted = [row for row in bench.rows() if row["status"] == "interrupted"]
    assert interrupted
    for row in interrupted:
        assert row["reason"] == "interrupted" and row["ended_at"] is not None
        assert row["checkpoint"] == f"checkpoints/{row['key']}/a1-1.safetensors"
        assert (bench.folder / row["checkpoint"]).exists()


def test_the_checkpoint_of_a_trial_that_ended_is_removed(bench, play) -> None:
    play(bench.search(trials=9), checkpoint_chance=1.0).run()
    assert list((bench.folder / "checkpoints").iterdir()) == []


# --- resume -----------------------------------------------------------------------------------------------------------


def test_interrupted_trials_come_first_again_from_their_checkpoints_and_keep_their_rungs(bench, play) -> None:
    search = bench.search(trials=9, slots=3, stopper="none")
    tune = play(search, seed=2).run(9)
    search.stop("interrupted")
    tune.run()
    search.abandon()
    left = [row["key"] for row in bench.rows() if row["status"] == "interrupted"]
    assert left
    before = {key: {r["milestone"] for r in bench.store().reports(key)} for key in left}
    assert any(before.values()), "one of them has passed a rung"

    again = bench.search(trials=9, slots=3)
    requests = [again.next() for _ in range(3)]
    assert [r.key for r in requests[: len(left)]] == left[:3]
    for request in requests[: len(left)]:
        assert request.resume and newest(request.begun()).exists()
        for milestone in before[request.key]:
            assert again.stopper.reached(milestone) > 0
            assert milestone in again.ledger.entries[request.key].milestones


def test_a_resumed_trial_goes_on_where_it_was_and_completes_as_attempt_2(bench, play) -> None:
    search = bench.search(trials=1)
    tune = play(search).run(2)
    search.stop("interrupted")
    tune.run()
    search.abandon()
    again = bench.search(trials=1)
    tune = play(again).run()
    assert tune.resumed == [bench.base_key]
    (row,) = bench.rows()
    assert (row["status"], row["attempt"], row["steps"], row["checkpoint"]) == ("completed", 2, 240, None)
    reports = bench.store().reports(bench.base_key)
    assert [(r["milestone"], r["attempt"]) for r in reports] == [(60, 1), (120, 2), (240, 2)]


def test_without_its_checkpoint_an_interrupted_trial_starts_again_and_leaves_its_rungs(bench, play) -> None:
    play(bench.search(trials=9, slots=1)).run(3)  # the base has passed two rungs when the driver is killed
    again = bench.search(trials=9, slots=1)
    assert again.stopper.reached(60) == again.stopper.reached(120) == 1
    request = again.next()
    assert request.key == bench.base_key and not request.resume
    assert again.stopper.reached(60) == again.stopper.reached(120) == 0
    again.start(request.key)
    (row,) = bench.rows()
    assert row["attempt"] == 2 and row["steps"] is row["last_value"] is row["train_seconds"] is None


def test_a_budget_in_fractions_stops_trials_and_keeps_its_rungs_over_a_resume(
    make_bench, toy_base, toy_curve, play
) -> None:
    base = dataclasses.replace(toy_base, budget=Budget(epochs=0.05))
    bench = make_bench(base=base)

    def falling(config: Any, milestone: float) -> float:
        return toy_curve(config, milestone * 4800)

    play(bench.search(trials=16), falling).run(25)  # killed
    half = {row["key"]: row["rung"] for row in bench.rows() if row["status"] == "stopped"}
    again = bench.search(trials=16)
    assert again.stopper.milestones == [0.0125, 0.025] and again.stopper.reached(0.0125) > 0
    play(again, falling).run()
    stopped = [row for row in bench.rows() if row["status"] == "stopped"]
    assert half and len(stopped) > len(half)
    for row in stopped:
        assert row["rung"] in again.stopper.milestones and row["spent"] == row["rung"]
        assert row["reason"].startswith(f"rung {row['rung']:g}: ")
    for trial in again.proposals.sampler.study.get_trials():
        assert set(trial.intermediate_values) <= {12500, 25000, 50000}


def test_reports_on_the_way_are_evenly_spread_in_whatever_unit_a_trial_has(bench) -> None:
    search = bench.search(reports=3)
    assert search.requests.milestones(Budget(steps=240)) == [60, 120, 180]
    assert search.requests.milestones(Budget(epochs=0.05)) == [0.0125, 0.025, 0.0375], "the rungs are in steps"


def test_rungs_of_an_attempt_that_began_again_are_not_taken_from_the_one_before(bench, play) -> None:
    play(bench.search(slots=1)).run(3)  # killed at 120, without a checkpoint
    again = bench.search(slots=1)
    tune = play(again).run(1)
    again.stop("interrupted")  # before the second attempt has reached a rung
    tune.run()
    again.abandon()
    third = bench.search(slots=1)
    assert third.next().resume
    assert third.stopper.reached(60) == third.stopper.reached(120) == 0


def test_the_study_is_rebuilt_from_the_rows_and_the_old_journal_is_moved_aside(bench, play, toy_curve) -> None:
    def some_crash(config: Any, milestone: float) -> float:
        if type(config.schedule).__name__ == "Constant":
            raise RuntimeError(f"made up {config.optimizer.matrix_lr}")
        return toy_curve(config, milestone)

    play(bench.search(trials=12), some_crash).run()
    rows = bench.rows()
    again = bench.search(trials=14)
    pruned = ("stopped", "infeasible", "diverged")
    expected = {"completed": TrialState.COMPLETE} | dict.fromkeys(pruned, TrialState.PRUNED)
    states = study_states(again)
    assert states == [expected.get(row["status"], TrialState.FAIL) for row in rows]
    assert {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL} <= set(states)
    for trial, row in zip(again.proposals.sampler.study.get_trials(deepcopy=False), rows, strict=True):
        assert trial.value == row["value"]
        for path, value in trial.params.items():
            assert row[path] == value
    assert (bench.folder / "optuna.journal.before").exists()


def test_a_resumed_trial_reaches_the_study_when_it_ends(bench, play) -> None:
    play(bench.search(trials=1)).run(2)  # killed
    again = bench.search(trials=1)
    play(again).run()
    (trial,) = [t for t in again.proposals.sampler.study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    assert trial.value == bench.rows()[0]["value"] and trial.intermediate_values.keys() == {60, 120}


def test_a_resume_suggests_nothing_that_the_first_start_did(bench, play) -> None:
    play(bench.search(trials=6, slots=1)).run()
    first = {row["key"] for row in bench.rows()}
    tune = play(bench.search(trials=12, slots=1)).run()
    assert len(tune.started) == 6 and not first & set(tune.started)


def test_a_finished_campaign_is_exhausted_from_the_start(bench, play) -> None:
    play(bench.search(trials=5)).run()
    assert bench.search(trials=5).exhausted


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), budget=st.integers(1, 8))
def test_a_campaign_killed_at_any_moments_runs_every_trial_to_its_end_exactly_once(
    make_bench, play, seed, budget
) -> None:
    """A kill drops the Search where it is: nothing is told, nothing is closed."""
    draw = random.Random(seed)
    bench = make_bench(f"killed-{seed}-{budget}-{random.getrandbits(32)}")
    ended: list[str] = []
    while True:
        search = bench.search(trials=budget, slots=draw.randint(1, 3))
        known = {row["key"]: row for row in bench.rows() if row["status"] in ENDED}
        reports = {key: bench.store().reports(key) for key in search.ledger.entries}
        for milestone in search.stopper.milestones:
            recorded = search.stopper.rule.bracket("any")[milestone]
            rows = {k: r["val_bpb"] for k, found in reports.items() for r in found if r["milestone"] == milestone}
            assert recorded == {
                k: v for k, v in rows.items() if milestone <= (search.ledger.entries[k].row["spent"] or 0)
            }
        assert TrialState.RUNNING not in journal_states(bench.folder)

        tune = play(search, seed=draw.randint(0, 99), checkpoint_chance=0.5).run(draw.randint(0, 20))
        assert not set(tune.started) & set(known), "a finished trial was offered again"
        ended += tune.ended
        rows = {row["key"]: row for row in bench.rows()}
        assert all(rows[key] == row for key, row in known.items()), "a finished trial's row has changed"
        if search.exhausted and not tune.pending and not tune.running:
            break
    search.abandon()
    counts = Counter(ended)
    finished = [row["key"] for row in bench.rows() if row["status"] in ("completed", "stopped")]
    assert sorted(counts) == sorted(finished) and set(counts.values()) == {1} and len(finished) == budget
    assert TrialState.RUNNING not in journal_states(bench.folder)
