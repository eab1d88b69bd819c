"""Space -> Optuna, through ask and tell. Knows nothing of Ray, so that a simulator can drive the same code.

Traps closed here (each has a test): nothing stays RUNNING in the study, what early stopping ended is told as PRUNED
with its intermediate values, what diverged or ran out of memory keeps the sampler away, no NaN is told, and a resumed
study is rebuilt from our rows instead of trusted.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from search_spaces.domains import Choice, Domain, Integer, Value
from search_spaces.space import Space
from trainable.config import WHOLE_UNITS
from trainable.seeds import derived
from tuner.campaign.journal import Journal
from tuner.campaign.trial_end import TrialEnd
from tuner.failures import OUT_OF_MEMORY
from tuner.proposals.ended_trials import JournalStudies, Made, MemoryStudies
from tuner.proposals.first_points import STARTUP_TRIALS, WITH_TREND, NearBase
from tuner.proposals.optuna_samplers import made, made_after_a_prior
from tuner.proposals.prior_sampler import PRIOR_TRIALS, PriorSampler
from tuner.proposals.warm_start import Prior
from tuner.search_methods import GP, TPE, TPE_UNIFORM

LIKELY_TRIALS = 8  # of the first, how many are within the expert ranges where there are any
STEPS_PER_FRACTIONAL_UNIT = 1_000_000  # Optuna counts in whole steps: of an epoch, say, it sees millionths
# How a trial ends whose config is to blame. Optuna ranks a trial that breaks a constraint below all that train; told as
# a failure it would be left out, and the sampler would go back to where it lies.
UNTRAINABLE = ("diverged", "plateaued", OUT_OF_MEMORY)
TRAINS = {"trains": 1.0}  # the constraint that such a trial breaks


@dataclass(frozen=True)
class Suggestion:
    """Proposal of Optuna: a number in its study, and values of the knobs that are active."""

    number: int
    values: dict[str, Value]


class Sampler:
    """Study over a space. The base comes first, then the best of a prior, points of expert ranges and near the base."""

    def __init__(
        self,
        space: Space,
        base_values: Mapping[str, Value],
        seed: int,
        journal: Path | None = None,
        earlier: Sequence[TrialEnd] = (),
        unit: str = "steps",
        prior: Prior | None = None,
        base_known: bool = False,
        note: Callable[[str], None] = lambda text: None,
        name: str | None = None,
        about: Mapping[str, Any] | None = None,
        method: str = TPE_UNIFORM,
        replicates: Sequence[TrialEnd] = (),
    ) -> None:
        """``unit`` is that of the milestones that will be reported, ``prior`` what the search starts from.

        With ``base_known`` the base config is not asked for: the campaign has it already. ``note`` is told what the
        journal got over; ``name`` is that of the study, without one the space's; ``about`` are the study's attributes.
        ``method`` is a name of search_methods.py, but for ``auto``; ``replicates`` are ends on seeds of a confirmation.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space
        begun = len(earlier)  # one seed for all starts would repeat the first draws
        points = () if prior is None else prior.points
        queued = prior is not None and method != GP  # which has it as a trend of its model
        if queued:
            domains = {knob.path: distribution(knob.domain) for knob in space.knobs}
            after_a_prior = made_after_a_prior(method, seed, begun)
            chosen: optuna.samplers.BaseSampler = PriorSampler(after_a_prior, points, base_values, domains)
        else:
            chosen = made(method, space, seed, begun, replicates, points)
        self._storage = MemoryStudies() if journal is None else JournalStudies(Journal(journal, note))
        self.study = optuna.create_study(
            study_name=name or space.name,
            storage=self._storage,
            sampler=chosen,
            directions=["minimize"] * len(space.objectives),
        )
        name_metrics(self.study, space.objectives)
        for attribute, text in (about or {}).items():
            self.study.set_user_attr(attribute, text)
        self._open: dict[int, optuna.Trial] = {}
        ranges = {knob.path: distribution(knob.domain) for knob in space.knobs}
        self._ranges = {(path, repr(own)): own for path, own in ranges.items()}
        self._made = Made(ranges)
        self._steps_per_unit = 1 if unit in WHOLE_UNITS else STEPS_PER_FRACTIONAL_UNIT
        self.near_base = _near_base(NearBase(space, base_values, seed, begun), method, len(points))
        self.add(*earlier)
        if not base_known and dict(base_values) not in [end.values for end in earlier]:
            self.study.enqueue_trial(dict(base_values))
        for values in prior.first(base_values) if prior is not None and queued else []:
            if values not in [end.values for end in earlier]:
                self.study.enqueue_trial(values)
        for number in range(max(1, len(earlier)), LIKELY_TRIALS):  # in place of random ones
            if likely := likely_point(space, derived(seed, "likely point", begun, number)):
                self.study.enqueue_trial(likely)

    def ask(self) -> Suggestion:
        """The next point. It must be told later, whatever becomes of it."""
        self.near_base.enqueue(self.study)
        trial = self.study.ask()
        values: dict[str, Value] = {}
        for knob in self.space.knobs:
            if self.space.active(knob, values):
                values[knob.path] = suggest(trial, knob.path, knob.domain)
        self._open[trial.number] = trial
        return Suggestion(trial.number, values)

    def describe_trial(self, number: int, attributes: Mapping[str, Any]) -> None:
        """Set what the study keeps of an open trial beside its parameters."""
        for name, value in attributes.items():
            self._open[number].set_user_attr(name, value)

    def report(self, number: int, milestone: float, value: float) -> None:
        """An intermediate value of an open trial, in budget units. Values that are not finite are left out.

        So are all of a search for two objectives: Optuna keeps none there.
        """
        if math.isfinite(value) and len(self.space.objectives) == 1:
            self._open[number].report(value, self._step(milestone))

    def _step(self, milestone: float) -> int:
        return round(milestone * self._steps_per_unit)

    def tell(
        self,
        number: int,
        status: str,
        value: float | None,
        second: float | None = None,
        excesses: Mapping[str, float] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Close a trial: completed with its value, PRUNED if stopped, infeasible or untrainable, anything else as FAIL.

        A trial that broke a constraint (one of ``excesses`` is above 0) but has a value is COMPLETE: Optuna ranks it
        below every feasible one, by how much it broke.
        """
        self.describe_trial(number, {"status": status, **(attributes or {})})
        trial = self._open.pop(number)
        for name, excess in _excesses(status, excesses or {}).items():
            trial.set_constraint(name, excess)
        values = self._values(status, value, second, excesses or {})
        self.study.tell(trial, values, state=TrialState.COMPLETE if values else _state(status))
        self._share(self._storage.get_trial(trial._trial_id))

    def _share(self, trial: optuna.trial.FrozenTrial) -> None:
        """Let the trial have its ranges in common with all others: a journal makes them anew for each, 6 KB."""
        for path, own in trial.distributions.items():
            trial.distributions[path] = self._ranges.setdefault((path, repr(own)), own)

    def _values(
        self, status: str, value: float | None, second: float | None, excesses: Mapping[str, float]
    ) -> list[float] | None:
        """Return the values that a COMPLETE trial is told with; None for any other."""
        counts = "completed" if status == "infeasible" and excesses else status
        values = [value, second][: len(self.space.objectives)]
        finite = [float(v) for v in values if v is not None and math.isfinite(v)]
        return finite if counts == "completed" and len(finite) == len(values) else None

    def close(self) -> None:
        """Fail whatever is still open, so that nothing stays RUNNING in the study."""
        for number in list(self._open):
            self.tell(number, "interrupted", None)

    def add(self, *ends: TrialEnd) -> None:
        """Trials that an earlier start of the campaign asked for, and that have ended."""
        self._storage.add_ended(self.study._study_id, [self._ended(end) for end in ends], self._made)

    def _ended(self, end: TrialEnd) -> optuna.trial.FrozenTrial:
        values = self._values(end.status, end.value, end.second, end.excesses)
        single = len(self.space.objectives) == 1
        now = datetime.now()
        known = end.started is not None and end.ended is not None
        trial = self._made.trial(
            end.values,
            state=TrialState.COMPLETE if values else _state(end.status),
            values=values,
            datetime_start=_local(end.started) if known and end.started else now,
            datetime_complete=_local(end.ended) if known and end.ended else now,
            intermediate_values={self._step(m): v for m, v in end.intermediate.items() if single and math.isfinite(v)},
            user_attrs=dict(end.attributes),
        )
        for name, excess in _excesses(end.status, end.excesses).items():
            trial.set_constraint(name, excess)
        return trial


def _near_base(design: NearBase, method: str, num_points: int) -> NearBase:
    """Set how many of the first points lie near the base: fewer where ``num_points`` are known from elsewhere."""
    if method not in (GP, TPE):
        design.wanted = 0
    elif method == TPE:
        design.wanted = STARTUP_TRIALS - min(PRIOR_TRIALS, num_points)
    elif num_points:
        design.wanted, design.every = WITH_TREND, 2
    return design


def name_metrics(study: optuna.Study, names: Sequence[str]) -> None:
    """Call the study's values by the names of the objectives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(names))


def suggest(trial: optuna.Trial, path: str, domain: Domain) -> Value:
    """Draw one knob."""
    if isinstance(domain, Choice):
        return trial.suggest_categorical(path, domain.labels)
    if isinstance(domain, Integer):
        return trial.suggest_int(path, domain.low, domain.high, log=domain.is_log)
    return trial.suggest_float(path, domain.low, domain.high, log=domain.is_log)


def likely_point(space: Space, seed: int) -> dict[str, Value]:
    """A random point within the expert ranges, for the knobs that have one; which of them are active is not asked."""
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
    return {knob.path: suggest(trial, knob.path, knob.likely) for knob in space.knobs if knob.likely is not None}


def distribution(domain: Domain) -> BaseDistribution:
    """Optuna's form of one of our domains."""
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.labels)
    if isinstance(domain, Integer):
        return IntDistribution(domain.low, domain.high, log=domain.is_log)
    return FloatDistribution(domain.low, domain.high, log=domain.is_log)


def _state(status: str) -> TrialState:
    """Return the state with which a trial without a value is told to Optuna."""
    # TPE looks away from failures, so it would ask for values that make no valid run again and again; pruned without
    # an intermediate value, they are the worst that it knows of.
    return TrialState.PRUNED if status in ("stopped", "infeasible", *UNTRAINABLE) else TrialState.FAIL


def _excesses(status: str, excesses: Mapping[str, float]) -> dict[str, float]:
    """Constraint -> by what part it is exceeded, with the one that every trial has: that it can be trained."""
    return dict(excesses) | (TRAINS if status in UNTRAINABLE else {})


def _local(time: datetime) -> datetime:
    """A moment as Optuna keeps it: the local time, without a zone."""
    return time.astimezone().replace(tzinfo=None)
