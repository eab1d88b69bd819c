"""Ray Tune's defaults without a cluster are told what Tune's controller would tell them."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState

from benchmarks.tune_defaults import TuneDefaults
from search_spaces import load
from search_spaces.space import Space

PARTS = 8


@pytest.fixture(scope="module")
def space() -> Space:
    return load("parameter_golf")


@pytest.fixture
def tune(space) -> TuneDefaults:
    return TuneDefaults(space, space.values_of(space.scale("proxy").base), seed=0, parts=PARTS)


def told(tune: TuneDefaults) -> list[tuple[TrialState, float | None]]:
    return [(trial.state, trial.value) for trial in tune.searcher._ot_study.get_trials(deepcopy=False)]


def test_it_begins_with_the_base_and_goes_on_with_points_that_have_the_knobs_that_act(tune, space) -> None:
    assert tune.suggest() == (0, space.values_of(space.scale("proxy").base))
    points = [tune.suggest()[1] for _ in range(30)]
    for values in points:
        assert set(values) == {knob.path for knob in space.knobs if space.active(knob, values)}
        space.config(space.scale("proxy").base, values)
    assert len({frozenset(values) for values in points}) > 1


def test_a_trial_outside_the_best_quarter_is_stopped_and_its_last_value_is_its_result(tune) -> None:
    for number, loss in enumerate((4.0, 3.0)):
        tune.suggest()
        assert not tune.result(number, 1, loss)  # the first has no others, the second is better
    tune.suggest()
    assert tune.result(2, 1, 3.5)
    assert told(tune)[2] == (TrialState.COMPLETE, 3.5)


def test_trials_are_judged_after_one_and_four_parts_and_end_after_the_last(tune) -> None:
    for loss in (3.0, 4.0):
        number, _ = tune.suggest()
        ends = [tune.result(number, part, loss if part in (2, 3, PARTS) else 3.0) for part in (1, 2, 3, 4, PARTS)]
        assert ends == [False, False, False, False, True]
    number, _ = tune.suggest()
    assert not tune.result(number, 1, 2.0) and tune.result(number, 4, 3.5)
    assert told(tune) == [(TrialState.COMPLETE, value) for value in (3.0, 4.0, 3.5)]


def test_an_error_has_no_value_and_nobody_is_compared_with_it(tune) -> None:
    tune.suggest()
    tune.error(0)
    tune.suggest()
    assert told(tune)[0] == (TrialState.FAIL, None)
    assert not tune.result(1, 1, 99.0)
