"""The study that optuna-dashboard opens: it says which campaign, which objective and which trial it is about."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from search_spaces.constraints import parse_all
from tuner.campaign.journal_files import JOURNAL

ENDS = ("completed", "stopped", "crashed", "infeasible")
NAMED = ("number", "seed", "status", "rung")


def study_of(folder) -> optuna.Study:
    """As another program opens it."""
    return optuna.load_study(study_name=folder.name, storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))))


@pytest.mark.parametrize("starts", [1, 2])
def test_a_study_is_called_like_its_campaign_and_its_trials_like_their_rows(bench, play, toy_curve, starts) -> None:
    def crashing(config, milestone):
        if 0.05 < config.optimizer.matrix_lr < 0.07:
            raise RuntimeError("made up")
        return toy_curve(config, milestone)

    for start in range(starts):  # the second one makes the study of the rows
        play(bench.search(trials=20 if start == starts - 1 else 14), crashing).run()
    study = study_of(bench.folder)
    assert study.study_name == bench.folder.name and study.metric_names == ["val_bpb"]
    rows = {row["key"]: row for row in bench.rows()}
    seen = set()
    for trial in study.get_trials(deepcopy=False):
        said = trial.user_attrs
        row = rows[said["key"]]
        assert {name: said.get(name) for name in NAMED} == {name: row[name] for name in NAMED}
        assert said.get("reason", "") == (row["reason"] or "").split("\n")[0]
        seen.add(said["status"])
    assert seen == set(ENDS)
    assert set(rows) <= {trial.user_attrs["key"] for trial in study.get_trials(deepcopy=False)}


def test_a_running_trial_is_named_too(bench) -> None:
    search = bench.search()
    key = search.next().key
    (trial,) = study_of(bench.folder).get_trials(deepcopy=False)
    assert trial.state.name == "RUNNING" and trial.user_attrs["key"] == key and trial.user_attrs["status"] == "running"


@pytest.mark.parametrize("starts", [1, 2])
def test_two_objectives_are_both_named_and_have_both_values(make_bench, play, toy_space, starts) -> None:
    bench = make_bench(space=replace(toy_space, second_objective="train_seconds"))
    for start in range(starts):
        play(bench.search(trials=12 if start == starts - 1 else 8, stopper="none")).run()
    study = study_of(bench.folder)
    assert study.metric_names == ["val_bpb", "train_seconds"]
    rows = {row["key"]: row for row in bench.rows()}
    assert set(rows) == {trial.user_attrs["key"] for trial in study.get_trials(deepcopy=False)}
    for trial in study.get_trials(deepcopy=False):
        row = rows[trial.user_attrs["key"]]
        assert (trial.user_attrs["number"], trial.user_attrs["status"]) == (row["number"], row["status"])
        if row["status"] == "completed":
            assert trial.values == [row["value"], row["train_seconds"]]


def test_a_run_that_is_refused_for_its_size_is_named_with_the_reason(make_bench, play, toy_space) -> None:
    bench = make_bench(space=replace(toy_space, constraints=parse_all(["parameters<=1"])))
    assert bench.search(vocab_size=260).next() is None, "each one is refused"
    reasons = {row["key"]: row["reason"] for row in bench.rows()}
    said = [trial.user_attrs for trial in study_of(bench.folder).get_trials(deepcopy=False)]
    assert any("parameters<=1" in reason for reason in reasons.values())
    assert said and all(one["reason"] == reasons[one["key"]] for one in said)


def test_an_end_without_memory_is_named_as_in_its_row_in_every_start(bench, play, toy_curve) -> None:
    def too_large(config, milestone):
        if config.optimizer.matrix_lr > 0.2:
            raise MemoryError("made up")
        return toy_curve(config, milestone)

    for _ in range(2):
        play(bench.search(trials=12), too_large).run()
        said = {trial.user_attrs["key"]: trial.user_attrs["status"] for trial in study_of(bench.folder).trials}
        lost = [row["key"] for row in bench.rows() if row["status"] == "crashed"]
        assert lost and {said[key] for key in lost} == {"crashed"}


def test_after_a_resume_trials_have_the_times_at_which_they_ran(bench, play) -> None:
    play(bench.search(trials=6)).run()
    time.sleep(0.01)
    resumed = datetime.now()
    bench.search(trials=6)
    rows = {row["key"]: row for row in bench.rows() if row["status"] != "infeasible"}
    trials = [trial for trial in study_of(bench.folder).trials if trial.user_attrs["key"] in rows]
    assert len(trials) == 6
    for trial in trials:
        row = rows[trial.user_attrs["key"]]
        assert trial.datetime_start.astimezone() == row["started_at"]
        assert trial.datetime_complete.astimezone() == row["ended_at"]
        assert trial.datetime_start < trial.datetime_complete < resumed


def test_a_study_says_what_the_campaign_asks(bench) -> None:
    bench.search()
    assert study_of(bench.folder).user_attrs == {"space": "toy", "scale": "proxy"}, "all of ABOUT that the bench has"
