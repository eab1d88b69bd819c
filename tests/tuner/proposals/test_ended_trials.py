"""What a study has of trials that were added all at once, against Optuna's own ``add_trial``, one by one."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from tuner.campaign.journal_files import JOURNAL
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.sampler import Sampler, distribution

BEGUN = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
TIMES = {"started": BEGUN, "ended": BEGUN + timedelta(seconds=9)}
COSINE = {"schedule": "Cosine", "optimizer.matrix_lr": 0.04, "model.encoder_layers": 2}
TIDAL = {"schedule": "Tidal", "schedule.warmup_frac": 0.1, "optimizer.matrix_lr": 0.3, "model.encoder_layers": 7}
SAID = {"key": 'a "key"', "number": 3}
ENDS = [
    TrialEnd(COSINE, "completed", 2.5, {60.0: 3.5, 120.0: float("nan")}, attributes=SAID, **TIMES),
    TrialEnd(TIDAL, "stopped", None, {60.0: 4.5}, **TIMES),
    TrialEnd({**TIDAL, "optimizer.matrix_lr": 0.01}, "diverged", None, **TIMES),
    TrialEnd({**COSINE, "model.encoder_layers": 0}, "infeasible", 2.0, excesses={"minutes": 0.5}, **TIMES),
    TrialEnd({**COSINE, "schedule": "Constant"}, "crashed", None, **TIMES),
]


def fields(trial):
    return {**trial.__dict__, "value": trial.value, "constraints": trial.constraints}


def by_optuna(space):
    """A study to which Optuna has added the same trials."""
    study = optuna.create_study()
    told = {
        "stopped": TrialState.PRUNED, "diverged": TrialState.PRUNED, "crashed": TrialState.FAIL,
    }  # fmt: skip
    for end in ENDS:
        trial = optuna.trial.create_trial(
            state=told.get(end.status, TrialState.COMPLETE),
            value=end.value,
            params=end.values,
            distributions={path: distribution(space.knob(path).domain) for path in end.values},
            intermediate_values={60: end.intermediate[60.0]} if end.intermediate else {},
            constraints={"trains": 1.0} if end.status == "diverged" else dict(end.excesses) or None,
            user_attrs=dict(end.attributes),
        )
        trial.datetime_start, trial.datetime_complete = (
            time.astimezone().replace(tzinfo=None) for time in TIMES.values()
        )
        study.add_trial(trial)
    return study


@pytest.mark.parametrize("kept", ["in memory", "with a journal"])
def test_ended_trials_are_in_the_study_as_optuna_adds_them_one_by_one(kept, toy_space, toy_base, tmp_path):
    file = tmp_path / JOURNAL if kept == "with a journal" else None
    sampler = Sampler(toy_space, toy_space.values_of(toy_base), 0, file, earlier=ENDS, base_known=True)
    expected = [fields(trial) for trial in by_optuna(toy_space).trials]
    found = sampler.study.trials
    assert [fields(trial) for trial in found[: len(ENDS)]] == expected
    assert all(trial.state == TrialState.WAITING for trial in found[len(ENDS) :])
    assert sampler.study.best_trial.number == 0
    if file is not None:
        others = JournalStorage(JournalFileBackend(str(file)))
        read = optuna.load_study(study_name="toy", storage=others).trials
        assert [fields(trial) for trial in read] == [fields(trial) for trial in found]
        assert len(file.read_text().splitlines()) == sampler.study._storage._replay_result.log_number_read
    asked = sampler.ask()
    assert asked.number == len(ENDS)
    sampler.tell(asked.number, "completed", 1.5)
    assert sampler.study.best_trial.number == len(ENDS)


def test_a_value_that_its_range_no_longer_has_is_refused(toy_space, toy_base):
    for values in ({**COSINE, "optimizer.matrix_lr": 0.5}, {**COSINE, "model.encoder_layers": 9}):
        with pytest.raises(ValueError, match="isn't contained"):
            Sampler(toy_space, toy_space.values_of(toy_base), 0, earlier=[TrialEnd(values, "completed", 2.0)])
    with pytest.raises(ValueError, match="'Warmdown' not in"):
        values = {**COSINE, "schedule": "Warmdown"}
        Sampler(toy_space, toy_space.values_of(toy_base), 0, earlier=[TrialEnd(values, "completed", 2.0)])


def test_a_journal_that_was_removed_is_written_anew_with_the_ended_trials(toy_space, toy_base, tmp_path):
    file = tmp_path / JOURNAL
    sampler = Sampler(toy_space, toy_space.values_of(toy_base), 0, file, earlier=ENDS, base_known=True)
    before = [json.loads(line) for line in file.read_text().splitlines()]
    os.remove(file)
    asked = sampler.ask()
    sampler.tell(asked.number, "completed", 1.5)
    after = [json.loads(line) for line in file.read_text().splitlines()]
    assert after[: len(before)] == before and len(after) > len(before)
    backend = sampler.study._storage.journal
    for first in range(len(after)):
        assert [*backend.read_logs(first)] == after[first:]


class Counting(dict):
    """Trials by id that count how often one is looked up."""

    looked_up = 0

    def __getitem__(self, trial_id):
        self.looked_up += 1
        return super().__getitem__(trial_id)


def test_an_ask_looks_at_no_more_trials_however_many_have_ended(toy_space, toy_base, tmp_path):
    looked_up = []
    for number in (20, 400):
        ends = [replace(ENDS[0], values={**COSINE, "optimizer.matrix_lr": 0.04 + n / 1e4}) for n in range(number)]
        file = tmp_path / f"{number}.{JOURNAL}"
        sampler = Sampler(toy_space, toy_space.values_of(toy_base), 0, file, earlier=ends, base_known=True)
        known = sampler.study._storage._replay_result
        sampler.tell(sampler.ask().number, "completed", 1.5)
        known._trials = counting = Counting(known._trials)
        for _ in range(3):
            sampler.tell(sampler.ask().number, "completed", 1.5)
        looked_up.append(counting.looked_up)
    assert looked_up[0] == looked_up[1] < 400


def test_trials_of_each_state_are_those_that_optunas_own_storage_finds(toy_space, toy_base, tmp_path):
    sampler = Sampler(toy_space, toy_space.values_of(toy_base), 0, tmp_path / JOURNAL, earlier=ENDS)
    sampler.study.enqueue_trial(COSINE)
    storage, study = sampler.study._storage, sampler.study._study_id
    wanted = [None, (TrialState.WAITING,), (TrialState.RUNNING,), tuple(TrialState), (), (TrialState.COMPLETE,)]
    asked = []
    for step in range(8):
        for states in wanted:
            own = JournalStorage.get_all_trials(storage, study, False, states)
            found = storage.get_all_trials(study, False, states)
            assert len(found) == len(own) and all(one is other for one, other in zip(found, own, strict=True))
        asked.append(sampler.ask().number)
        sampler.report(asked[-1], 60.0, 4.0 + step)
        if step % 3 == 2:
            sampler.tell(asked.pop(0), "stopped", None)
    found, copies = storage.get_all_trials(study, False), storage.get_all_trials(study)
    assert copies == found != [] and not any(one is other for one, other in zip(copies, found, strict=True))
    found.clear()
    assert storage.get_all_trials(study, deepcopy=False) != [], "each caller has a list of its own"
    with pytest.raises(KeyError):
        storage.get_all_trials(study + 1)
