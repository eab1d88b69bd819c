from __future__ import annotations

from itertools import pairwise
from zlib import crc32

import optuna
import pytest
from optuna.trial import TrialState

from tuner.proposals import bounded_history
from tuner.proposals.bounded_history import BoundedTPE, History, View, rank
from tuner.proposals.optuna_samplers import tpe

NOBODY = -1  # no trial of this number is asked for


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
    history.read(study.get_trials(deepcopy=False), NOBODY)
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
    history.read(study.get_trials(deepcopy=False), NOBODY)
    more = [study.ask() for _ in range(6)]
    history.read(study.get_trials(deepcopy=False), NOBODY)
    assert sum(t.state == TrialState.RUNNING for t in history.shown) == 3
    for trial in (*running, *more):
        study.tell(trial, 0.1)
    history.read(study.get_trials(deepcopy=False), NOBODY)
    assert {t.number for t in history.shown} == set(view_of(study)) and len(history.shown) <= 20


def test_as_many_count_as_the_best_as_if_all_were_in_view(few) -> None:
    study = optuna.create_study(sampler=tpe(6))
    told(study, 150)
    history = History()
    history.read(study.get_trials(deepcopy=False), NOBODY)
    best, others = history.observed(["x"], NOBODY)
    assert len(best["x"]) == 12 and len(best["x"]) + len(others["x"]) == len(history.shown)
    assert history.num_ended == 120, "a tenth of those that tell something"


def test_a_trial_is_looked_at_until_it_has_ended_and_never_again(few) -> None:
    study = optuna.create_study(sampler=tpe(4))
    told(study, 40)
    looked: list[int] = []

    class Counted(list):
        def __getitem__(self, place):
            looked.append(place)
            return super().__getitem__(place)

    history = History()
    history.read(study.get_trials(deepcopy=False), NOBODY)
    trial = study.ask()
    for _ in range(2):
        looked.clear()
        history.read(Counted(study.get_trials(deepcopy=False)), NOBODY)
        assert len(looked) <= bounded_history.MOST + 5 and looked[0] == trial.number


def suggested(trial: optuna.Trial) -> dict[str, float | str]:
    """A point of a space with numbers of all kinds, choices, and knobs that are there for one of them only."""
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    point: dict[str, float | str] = {"kind": kind, "rate": trial.suggest_float("rate", 1e-4, 1.0, log=True)}
    if kind == "a":
        point |= {"width": trial.suggest_int("width", 1, 64, log=True), "depth": trial.suggest_int("depth", 1, 9)}
    elif kind == "b":
        point["share"] = trial.suggest_float("share", 0.0, 1.0)
    return point


def asked(kind: type[optuna.samplers.TPESampler], slots: int, count: int) -> list[dict[str, float | str]]:
    """Points of a search whose trials end in every way, ``slots`` of them running at a time."""
    study, running, points = optuna.create_study(sampler=tpe(7, kind)), list[optuna.Trial](), []
    for number in range(count):
        if number % 9 == 5:
            study.enqueue_trial({"kind": "a"})
        running.append(study.ask())
        points.append(suggested(running[-1]))
        if len(running) < slots:
            continue
        ended = running.pop(0)
        value, state = crc32(repr(points[ended.number]).encode()) / 2**32, TrialState.PRUNED
        if number % 7 == 1:
            ended.set_constraint("trains", 1.0)
        elif number % 3 == 1:
            ended.report(value, number % 2)
        else:
            state = TrialState.FAIL if number % 11 == 2 else TrialState.COMPLETE
        study.tell(ended, value if state == TrialState.COMPLETE else None, state=state)
    return points


@pytest.mark.parametrize("slots", [1, 4])
def test_below_the_bound_it_proposes_what_optunas_own_does(slots) -> None:
    assert asked(BoundedTPE, slots, 70) == asked(optuna.samplers.TPESampler, slots, 70)


def test_a_trial_is_ranked_and_its_values_are_read_once(monkeypatch) -> None:
    read: list[int] = []
    put = bounded_history.ParameterRows.put
    monkeypatch.setattr(
        bounded_history.ParameterRows, "put", lambda self, t, params: (read.append(t.number), put(self, t, params))
    )
    monkeypatch.setattr(optuna.samplers._tpe.sampler, "_split_trials", None)
    asked(BoundedTPE, 3, 40)
    assert max(map(read.count, read)) <= 2, "once while it ran, and once when it had ended"


def test_of_two_objectives_all_trials_stay(few) -> None:
    study = optuna.create_study(sampler=tpe(5), directions=["minimize"] * 2)
    assert study.sampler._view(study) is study
    single = optuna.create_study(sampler=tpe(5))
    assert isinstance(single.sampler._view(single), View)
