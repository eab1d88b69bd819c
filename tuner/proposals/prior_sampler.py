"""A sampler that begins with what others found and forgets it as its own evidence comes in.

Each time it is asked, an inner sampler is made and shown a study of the campaign's own trials and a few of the prior's.
There are ``PRIOR_TRIALS`` of these at first, and one less for each own trial that has ended, spread evenly over the
ranks so that the best and the worst remain the longest. Points of the same sizes, data, budget, evaluation and seed are
observations like the campaign's own, and stay.

What a score from elsewhere is worth here is measured: own trials of the prior's own configs show by how much a
difference over there comes back over here (a least-squares slope through the two bases). Without such pairs a
difference counts as it stands; where it comes back as nothing or reversed, the prior is dropped at once. A base that
has no value (it diverged, say) is replaced by the median: of the source's scores, of the campaign's own values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from search_spaces.domains import Value
from tuner.proposals.bounded_history import History
from tuner.proposals.point_sampler import PointSampler
from tuner.proposals.warm_start import Point

PRIOR_TRIALS = 24  # own trials after which nothing of a prior from elsewhere is left


class PriorSampler(PointSampler):
    """Asks ``make_inner(n)``, a fresh sampler for the n-th question, with the prior in its study."""

    def __init__(
        self,
        make_inner: Callable[[int], BaseSampler],
        points: Sequence[Point],
        base_values: Mapping[str, Value],
        distributions: Mapping[str, BaseDistribution],
    ) -> None:
        self.make_inner, self.base_values, self.distributions = make_inner, dict(base_values), distributions
        self.same = [point for point in points if point.same]
        foreign = _with_reference([point for point in points if not point.same])
        self.foreign = sorted(foreign, key=lambda p: (_gain(p), p.name))
        self._question: Trial | None = None
        self._history = History()

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        trials = study.get_trials(deepcopy=False)
        own = [t for t in trials if t.number != trial.number and t.state.name != "WAITING"]
        view = optuna.create_study(sampler=self.make_inner(trial.number), directions=study.directions)
        seen = own
        if len(study.directions) == 1:
            self._history.read(trials, trial.number)
            seen = [t for t in self._history.shown if t.number != trial.number]
        for shown in (*self.shown(own), *seen):
            view.add_trial(shown)
        self._question = view.ask()

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        assert self._question is not None, "before_trial comes first"
        return _suggest(self._question, param_name, param_distribution)

    def shown(self, own: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """The prior as trials, at the values that it has here, given the campaign's own."""
        found = [self._trial(point, point.score) for point in self.same]
        ended = sum(t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in own)
        if ended >= PRIOR_TRIALS:
            return found
        base = next((t for t in own if t.params == self.base_values and t.values), None)
        if (slope := self.slope(own, base)) > 0:
            kept = spread(self.foreign, PRIOR_TRIALS - ended)
            values = [t.values[0] for t in own if t.state == TrialState.COMPLETE]
            start = base.values[0] if base is not None and base.values else median(values or [0.0])
            found += [self._trial(point, start + slope * _gain(point)) for point in kept]
        return found

    def slope(self, own: Sequence[FrozenTrial], base: FrozenTrial | None) -> float:
        """Return how much of a difference elsewhere shows here: 1 while nothing is known, 0 where it is of no use."""
        pairs = []
        for point in self.foreign:
            again = [t for t in own if base is not None and t.params == dict(point.values)]
            gains = [gain for t in again if base is not None and (gain := _own_gain(t, base)) is not None]
            pairs += [(_gain(point), gain) for gain in gains]
        weight = sum(there * there for there, _ in pairs)
        return max(0.0, sum(there * here for there, here in pairs) / weight) if weight else 1.0

    def _trial(self, point: Point, value: float) -> FrozenTrial:
        params = dict(point.values)
        return create_trial(
            value=value, params=params, distributions={path: self.distributions[path] for path in params}
        )


def spread(points: Sequence[Point], count: int) -> list[Point]:
    """``count`` of the points, evenly over their order, the first and the last of them included."""
    if count <= 0 or count >= len(points):
        return list(points)[: max(0, count)]
    if count == 1:
        return [points[0]]
    return [points[round(i * (len(points) - 1) / (count - 1))] for i in range(count)]


def _with_reference(points: Sequence[Point]) -> list[Point]:
    """The points, with the median of their source's scores where its base has none."""
    scores: dict[str, list[float]] = {}
    for point in points:
        scores.setdefault(point.source, []).append(point.score)
    return [p if p.reference is not None else replace(p, reference=median(scores[p.source])) for p in points]


def _gain(point: Point) -> float:
    """A point's score against its source's base; below 0 is better."""
    assert point.reference is not None
    return point.score - point.reference


def _own_gain(trial: FrozenTrial, base: FrozenTrial) -> float | None:
    """An own trial's value against the base's; of one that was stopped, at the last milestone that both reached."""
    if trial.state == TrialState.COMPLETE and base.state == TrialState.COMPLETE:
        return float(trial.values[0] - base.values[0])
    common = trial.intermediate_values.keys() & base.intermediate_values.keys()
    last = max(common, default=None)
    return None if last is None else float(trial.intermediate_values[last] - base.intermediate_values[last])


def _suggest(trial: Trial, name: str, domain: BaseDistribution) -> Any:
    if isinstance(domain, CategoricalDistribution):
        return trial.suggest_categorical(name, domain.choices)
    if isinstance(domain, IntDistribution):
        return trial.suggest_int(name, domain.low, domain.high, log=domain.log)
    assert isinstance(domain, FloatDistribution), domain
    return trial.suggest_float(name, domain.low, domain.high, log=domain.log)
