"""Optuna's TPE with a bounded view of a study, so that an ask takes no longer after ten thousand trials than after some
hundred.

TPE draws from a density of the best trials (at most 25 of them, however many there are) against one of all others, in
which older ones count for less. So the best stay in view, and of the others some, evenly over their order, which leaves
that density its shape; of those that run so many that a thousand slots do not make an ask long. Up to ``MOST`` ended
trials nothing is left out. Of two objectives, where any trial of a front may be the best, all stay.

For each ask Optuna groups the knobs anew, and for each group it ranks all trials and reads their values: two thirds of
an ask of 28 knobs in six groups. Here a trial is ranked, and its values are read, once, when it has ended. What is
proposed is the same, to the last digit (a test compares them).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
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
        if len(study.directions) > 1:
            return super().infer_relative_search_space(study, trial)
        trials = study.get_trials(deepcopy=False)
        new = self._history.read(trials, trial.number, lambda one: self._get_params(one, study))
        # Of the new ones only: Optuna keeps the groups of knobs that it found in those before.
        return super().infer_relative_search_space(View(study, new), trial)  # type: ignore[arg-type]

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        return super().sample_relative(self._view(study), trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        return super().sample_independent(self._view(study), trial, param_name, param_distribution)

    def _view(self, study: optuna.Study) -> Any:
        return study if len(study.directions) > 1 else View(study, self._history.shown)

    def _sample(self, study: Any, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """Draw from the density of the best trials what is likeliest there, beside that of all others."""
        if not isinstance(study, View):
            return super()._sample(study, trial, search_space)
        best, others = (
            self._parzen_estimator_cls(observed, search_space, self._parzen_estimator_parameters)
            for observed in self._history.observed(list(search_space), trial.number)
        )
        drawn = best.sample(self._rng.rng, self._n_ei_candidates)
        chosen = self._compare(drawn, self._compute_acquisition_func(drawn, best, others))
        return {name: own.to_external_repr(chosen[name]) for name, own in search_space.items()}


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
        self._parameters = ParameterRows()
        self._known: set[int] = set()  # numbers of running trials whose parameters are known

    @property
    def num_ended(self) -> int:
        return len(self._ended)

    def read(
        self,
        trials: Sequence[FrozenTrial],
        asked: int,
        params_of: Callable[[FrozenTrial], Mapping[str, Any]] = lambda trial: trial.params,
    ) -> list[FrozenTrial]:
        """Take in all trials of the study, in the order of their numbers; those that ended since the last time.

        ``asked`` is the number of the trial that the question is about, which has no parameters yet.

        ``params_of`` gives the parameters of another one that runs, with those that were drawn for it and are not
        active in it. None of them changes, so they are read once.
        """
        looked_at, self._open, new = [*self._open, *range(self._seen, len(trials))], [], list[FrozenTrial]()
        self._seen = len(trials)
        for number in looked_at:
            trial = trials[number]
            if trial.state in _TOLD:
                insort(self._ended, number)
                insort(self._ranked, (rank(trial), number))
                self._parameters.put(trial, trial.params)
                new.append(trial)
            elif not trial.state.is_finished():
                self._open.append(number)
        running = [number for number in self._open if trials[number].state == TrialState.RUNNING]
        shown_running = some_of(running, MOST_RUNNING)
        for number in {*shown_running} - self._known - {asked}:
            self._parameters.put(trials[number], params_of(trials[number]))
            self._known.add(number)
        self._known.intersection_update(running)
        self.shown = [trials[number] for number in sorted([*self._chosen(), *shown_running])]
        return new

    def observed(self, names: Sequence[str], asked: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values of these parameters in the best trials in view, and in the others, but for the one that is asked for.

        As many count as the best as of all trials. Each is an array for each parameter, a value for each trial that has
        all of them, by number.
        """
        in_view = [trial.number for trial in self.shown if trial.number != asked]
        ended = {trial.number for trial in self.shown if trial.state in _TOLD}
        count = default_gamma(max(len(ended), self.num_ended))
        best: set[int] = set()
        for _, number in self._ranked:
            if len(best) == count:
                break
            if number in ended:
                best.add(number)
        others = [number for number in in_view if number not in best]
        return self._parameters.of(sorted(best), names), self._parameters.of(others, names)

    def _chosen(self) -> Sequence[int]:
        """Numbers of the ended trials in view."""
        if len(self._ended) <= MOST:
            return self._ended
        best = {number for _, number in self._ranked[:BEST]}
        return [*best, *(number for number in some_of(self._ended, MOST - BEST) if number not in best)]


class ParameterRows:
    """Parameters of trials as Optuna keeps them: a row for each trial, NaN where it does not have one."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[int, BaseDistribution]] = {}
        self._rows = np.full((64, 8), np.nan)

    def put(self, trial: FrozenTrial, params: Mapping[str, Any]) -> None:
        """Take in a trial's parameters, in place of those that it had. Any trial may be the first that has one."""
        for name, own in trial.distributions.items():
            self._columns.setdefault(name, (len(self._columns), own))
        self._grow(trial.number + 1, len(self._columns))
        self._rows[trial.number] = np.nan
        for name, value in params.items():
            column, own = self._columns[name]
            self._rows[trial.number, column] = own.to_internal_repr(value)

    def _grow(self, rows: int, columns: int) -> None:
        old_rows, old_columns = self._rows.shape
        if rows > old_rows or columns > old_columns:
            grown = np.full((max(old_rows, 2 * rows), max(old_columns, 2 * columns)), np.nan)
            grown[:old_rows, :old_columns] = self._rows
            self._rows = grown

    def of(self, numbers: Sequence[int], names: Sequence[str]) -> dict[str, Any]:
        """Parameter -> its values in those of these trials that have all of the parameters."""
        if not all(name in self._columns for name in names):
            return {name: np.empty(0) for name in names}
        found = self._rows[np.ix_(numbers, [self._columns[name][0] for name in names])]
        found = found[~np.isnan(found).any(axis=1)]
        return {name: found[:, place] for place, name in enumerate(names)}


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
