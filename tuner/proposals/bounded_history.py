"""Optuna's TPE with a bounded view of a study, so that an ask takes no longer after ten thousand trials than after some
hundred.

TPE draws from a density of the best trials (at most 25 of them, however many there are) against one of all others, in
which older ones count for less. So the best stay in view, and of the others some, evenly over their order, which leaves
that density its shape; of those that run so many that a thousand slots do not make an ask long. Up to ``MOST`` ended
trials nothing is left out. Of two objectives, where any trial of a front may be the best, all stay.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.samplers._tpe.sampler import default_gamma
from optuna.trial import FrozenTrial, TrialState

MOST = 400  # ended trials in view
BEST = 25  # of them: as many as TPE takes for the best
MOST_RUNNING = 100
_TOLD = (TrialState.COMPLETE, TrialState.PRUNED)


class BoundedTPE(optuna.samplers.TPESampler):
    """TPE whose questions are answered from a part of the study's trials."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._history = History()

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> Any:
        return super().infer_relative_search_space(self._view(study, anew=True), trial)

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        return super().sample_relative(self._view(study), trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        return super().sample_independent(self._view(study), trial, param_name, param_distribution)

    def _view(self, study: optuna.Study, anew: bool = False) -> Any:
        if len(study.directions) > 1:
            return study
        if anew:
            self._history.read(study.get_trials(deepcopy=False))
            self._gamma = self._num_best
        return View(study, self._history.shown)

    def _num_best(self, in_view: int) -> int:
        """Return how many count as the best: as many as of all trials."""
        return default_gamma(max(in_view, self._history.num_ended))


class View:
    """A study of which some trials are seen."""

    def __init__(self, study: optuna.Study, trials: Sequence[FrozenTrial]) -> None:
        self._study, self._shown = study, trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def _get_trials(
        self, deepcopy: bool = True, states: Sequence[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        return [trial for trial in self._shown if states is None or trial.state in states]

    get_trials = _get_trials


class History:
    """A study's trials as they end, and those that are shown; each is looked at while it runs, and once more."""

    def __init__(self) -> None:
        self.shown: list[FrozenTrial] = []  # by number
        self._seen = 0
        self._open: list[int] = []  # numbers of trials that had not ended
        self._ended: list[int] = []  # numbers of those that tell something, ascending
        self._ranked: list[tuple[tuple[float, ...], int]] = []  # the same, as TPE ranks them

    @property
    def num_ended(self) -> int:
        return len(self._ended)

    def read(self, trials: Sequence[FrozenTrial]) -> None:
        """Take in all trials of the study, which are in the order of their numbers."""
        looked_at, self._open = [*self._open, *range(self._seen, len(trials))], []
        self._seen = len(trials)
        for number in looked_at:
            trial = trials[number]
            if trial.state in _TOLD:
                insort(self._ended, number)
                insort(self._ranked, (rank(trial), number))
            elif not trial.state.is_finished():
                self._open.append(number)
        running = [number for number in self._open if trials[number].state == TrialState.RUNNING]
        self.shown = [trials[number] for number in sorted([*self._chosen(), *some_of(running, MOST_RUNNING)])]

    def _chosen(self) -> Sequence[int]:
        """Numbers of the ended trials in view."""
        if len(self._ended) <= MOST:
            return self._ended
        best = {number for _, number in self._ranked[:BEST]}
        return [*best, *(number for number in some_of(self._ended, MOST - BEST) if number not in best)]


def rank(trial: FrozenTrial) -> tuple[float, ...]:
    """The place of an ended trial in TPE's order: within its limits by value, or how far it came; then the others."""
    excess = sum(value for value in trial.constraints.values() if value > 0)
    if excess > 0:
        return 2.0, excess
    if trial.state == TrialState.COMPLETE:
        assert trial.value is not None
        return 0.0, trial.value
    step, value = max(trial.intermediate_values.items(), default=(-1, 0.0))
    return 1.0, -step, value


def some_of(numbers: Sequence[int], count: int) -> list[int]:
    """``count`` of the numbers, evenly over their order."""
    if len(numbers) <= count:
        return list(numbers)
    return [numbers[place * len(numbers) // count] for place in range(count)]
