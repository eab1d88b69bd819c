"""The study that optuna-dashboard opens: it says which campaign, which objective and which trial it is about."""

from __future__ import annotations

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tuner.campaign.journal_files import JOURNAL
from tuner.proposals.sampler import Sampler

ENDS = ("completed", "stopped", "crashed", "infeasible")


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
        assert said["status"] in ENDS
        if said["status"] == "infeasible":
            continue
        row = rows[said["key"]]
        assert (said["number"], said["seed"], said["status"]) == (row["number"], row["seed"], row["status"])
        assert said.get("rung") == row["rung"]
        seen.add(said["status"])
    assert {"completed", "stopped"} <= seen
    ran = [key for key, row in rows.items() if row["status"] != "infeasible"]
    assert set(ran) <= {trial.user_attrs.get("key") for trial in study.get_trials(deepcopy=False)}


def test_a_running_trial_is_named_too(bench) -> None:
    search = bench.search()
    key = search.next().key
    (trial,) = study_of(bench.folder).get_trials(deepcopy=False)
    assert trial.state.name == "RUNNING" and trial.user_attrs["key"] == key and trial.user_attrs["status"] == "running"


def test_two_objectives_are_both_named(toy_space, toy_base, tmp_path) -> None:
    from dataclasses import replace

    space = replace(toy_space, second_objective="train_seconds")
    sampler = Sampler(space, space.values_of(toy_base), 0, tmp_path / JOURNAL, name=tmp_path.name)
    assert study_of(tmp_path).metric_names == ["val_bpb", "train_seconds"] == sampler.study.metric_names
