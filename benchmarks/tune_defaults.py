"""Ray Tune's OptunaSearch and ASHA at their defaults, called as Tune's controller calls them, without a cluster.

Tune asks for the next trial while the last one still waits for its slot, so that it knows one end less than here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from search_spaces.domains import Value
from search_spaces.space import Space
from tuner.proposals.sampler import suggest

METRIC = "loss"


def define(trial: Any, space: Space) -> dict[str, Value]:
    """The space as Optuna's users write it: conditions are ifs."""
    values: dict[str, Value] = {}
    for knob in space.knobs:
        if space.active(knob, values):
            values[knob.path] = suggest(trial, knob.path, knob.domain)
    return values


class TuneDefaults:
    """A search that begins with the base, and whose longest trials report ``parts`` times at most."""

    def __init__(self, space: Space, base: Mapping[str, Value], seed: int, parts: int) -> None:
        def defined_by_run(trial: Any) -> None:
            define(trial, space)

        self.searcher = OptunaSearch(
            defined_by_run, metric=METRIC, mode="min", points_to_evaluate=[dict(base)], seed=seed
        )
        self.scheduler = ASHAScheduler(metric=METRIC, mode="min", max_t=parts)
        self.trials: list[Any] = []

    def suggest(self) -> tuple[int, dict[str, Value]]:
        """The number of a new trial, and its point."""
        number = len(self.trials)
        values = self.searcher.suggest(str(number))
        assert isinstance(values, dict), values
        self.trials.append(SimpleNamespace(trial_id=str(number)))
        self.scheduler.on_trial_add(None, self.trials[number])
        return number, values

    def result(self, number: int, part: int, loss: float) -> bool:
        """Take what a trial reports, and tell whether it ends: if stopped, what it reported last is its result."""
        trial, reported = self.trials[number], {"training_iteration": part, METRIC: loss}
        if self.scheduler.on_trial_result(None, trial, reported) != TrialScheduler.STOP:
            self.searcher.on_trial_result(trial.trial_id, reported)
            return False
        self.scheduler.on_trial_complete(None, trial, reported)
        self.searcher.on_trial_complete(trial.trial_id, result=reported)
        return True

    def error(self, number: int) -> None:
        """Take that a trial has failed."""
        trial = self.trials[number]
        self.scheduler.on_trial_error(None, trial)
        self.searcher.on_trial_complete(trial.trial_id, error=True)
