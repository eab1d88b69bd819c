from __future__ import annotations

from itertools import pairwise

import optuna
import pytest
from optuna.trial import TrialState

from tuner.proposals import bounded_history
from tuner.proposals.bounded_history import BoundedTPE, History, View, rank
from tuner.proposals.optuna_samplers import tpe

FLOAT = optuna.distributions.FloatDistribution(0.0, 1.0)


@pytest.fixture
def few(monkeypatch) -> None:
    """Bounds that a test comes to in a moment."""
    for name, number in (("MOST", 20), ("BEST", 6), ("MOST_RUNNING", 3)):
        monkeypatch.setattr(bounded_history, name, number)


def told(study: optuna.Study, count: int) -> None:
    """Trials of all kinds: most completed, some pruned on the way, some beyond a limit, some that failed."""
    for number in range(count):
        trial = study.ask()
        value = trial.suggest_float("x", 0.0, 1.0)
        state, values = TrialState.COMPLETE, value
        if number % 5 == 1:
            trial.report(value, number % 3)
            state, values = TrialState.PRUNED, None
        elif number % 5 == 2:
            trial.set_constraint("limit", value)
        elif number % 5 == 3:
            state, values = TrialState.FAIL, None
        study.tell(trial, values, state=state)


def view_of(study: optuna.Study) -> list[int]:
    history = History()
    history.read(study.get_trials(deepcopy=False))
    return [trial.number for trial in history.shown]


def test_up_to_the_bound_all_that_tells_something_is_in_view(few) -> None:
    study = optuna.create_study(sampler=tpe(0))
    told(study, 25)
    ended = [t.number for t in study.trials if t.state != TrialState.FAIL]
    assert len(ended) == 20 and view_of(study) == ended
    assert bounded_history.MOST == 20


def test_beyond_it_the_best_and_evenly_some_of_the_others_are(few) -> None:
    study = optuna.create_study(sampler=tpe(1))
    told(study, 120)
    shown = view_of(study)
    ended = [t for t in study.trials if t.state != TrialState.FAIL]
    best = [t.number for t in sorted(ended, key=lambda t: (rank(t), t.number))[:6]]
    assert 14 <= len(shown) == len(set(shown)) <= 20 and shown == sorted(shown)
    assert set(best) <= set(shown)
    places = [0, *(place for place, trial in enumerate(ended) if trial.number in shown), len(ended)]
    assert max(b - a for a, b in pairwise(places)) <= -(-len(ended) // 14)


def test_the_best_are_the_trials_that_tpe_itself_takes_for_the_best(few) -> None:
    study = optuna.create_study(sampler=tpe(2))
    told(study, 60)
    ended = [t for t in study.get_trials(deepcopy=False) if t.state in bounded_history._TOLD]
    for count in (1, 5, 30, 40):
        below, _ = optuna.samplers._tpe.sampler._split_trials(study, ended, count)
        ours = sorted(ended, key=lambda t: (rank(t), t.number))[:count]
        assert {t.number for t in below} == {t.number for t in ours}


def test_running_trials_are_in_view_up_to_a_bound_and_what_waits_is_not(few) -> None:
    study = optuna.create_study(sampler=tpe(3))
    told(study, 10)
    running = [study.ask() for _ in range(3)]
    study.enqueue_trial({"x": 0.5})
    assert {t.number for t in running} <= set(view_of(study)) and 13 not in view_of(study)
    history = History()
    history.read(study.get_trials(deepcopy=False))
    more = [study.ask() for _ in range(6)]
    history.read(study.get_trials(deepcopy=False))
    assert sum(t.state == TrialState.RUNNING for t in history.shown) == 3
    for trial in (*running, *more):
        study.tell(trial, 0.1)
    history.read(study.get_trials(deepcopy=False))
    assert {t.number for t in history.shown} == set(view_of(study)) and len(history.shown) <= 20


def test_as_many_count_as_the_best_as_if_all_were_in_view(few) -> None:
    study = optuna.create_study(sampler=tpe(6))
    told(study, 150)
    study.ask().suggest_float("x", 0.0, 1.0)
    assert study.sampler._gamma(20) == 12 == study.sampler._gamma(120), "a tenth of the 120 that tell something"


def test_a_trial_is_looked_at_until_it_has_ended_and_never_again(few) -> None:
    study = optuna.create_study(sampler=tpe(4))
    told(study, 40)
    looked: list[int] = []

    class Counted(list):
        def __getitem__(self, place):
            looked.append(place)
            return super().__getitem__(place)

    history = History()
    history.read(study.get_trials(deepcopy=False))
    trial = study.ask()
    for _ in range(2):
        looked.clear()
        history.read(Counted(study.get_trials(deepcopy=False)))
        assert len(looked) <= bounded_history.MOST + 5 and looked[0] == trial.number


def test_below_the_bound_it_proposes_what_optunas_own_does() -> None:
    studies = []
    for kind in (BoundedTPE, optuna.samplers.TPESampler):
        sampler = kind(seed=7, n_startup_trials=4, multivariate=True, constant_liar=True)
        studies.append(optuna.create_study(sampler=sampler))
        told(studies[-1], 30)
    assert studies[0].trials_dataframe()["params_x"].tolist() == studies[1].trials_dataframe()["params_x"].tolist()


def test_of_two_objectives_all_trials_stay(few) -> None:
    study = optuna.create_study(sampler=tpe(5), directions=["minimize"] * 2)
    assert study.sampler._view(study, anew=True) is study and study.sampler._gamma is None
    single = optuna.create_study(sampler=tpe(5))
    assert isinstance(single.sampler._view(single, anew=True), View)
