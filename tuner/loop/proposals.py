"""Sources of a search's trials: a sampler that proposes points of the space, or trials that are known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from results.store.statuses import ENDED, SEARCH
from search_spaces import constraints
from search_spaces.domains import Value
from search_spaces.objectives import Measured
from search_spaces.space import Space
from trainable.config import TrainConfig
from trainable.training import Training
from tuner.campaign.carried import Carried
from tuner.campaign.entry import Entry
from tuner.campaign.planned import Planned
from tuner.campaign.trial_end import TrialEnd
from tuner.campaign.trials import Ledger, attributes_of
from tuner.proposals.sampler import Sampler, Suggestion

SHORT = timedelta(seconds=1)  # a trial beside which an ask counts
ASKS = 100  # suggestions in a row that are known or invalid before the space counts as exhausted


class Proposals(Protocol):
    """Hands out new trials, and hears what becomes of all of them."""

    def next(self) -> Entry | None:
        """A trial that the campaign does not have yet, opened in its book; None where there are no more."""

    def reached(self, entry: Entry, milestone: float, value: float) -> None:
        """Note that the trial has this objective at a milestone."""

    def prepare(self) -> None:
        """Note that another trial will be asked for as soon as one of those that run has ended."""

    def ended(self, entry: Entry) -> None:
        """Note that the trial's attempt is over."""

    def dropped(self, entry: Entry) -> None:
        """Note that the trial was handed out and never started."""

    def close(self) -> None:
        """End the proposals: this start of the campaign asks for no more."""


class FixedTrials:
    """Trials that are known beforehand. Nothing learns from them."""

    def reached(self, entry: Entry, milestone: float, value: float) -> None:
        """Tell nobody: there is no sampler."""

    def prepare(self) -> None:
        """Prepare nothing: they are known."""

    def ended(self, entry: Entry) -> None:
        """Tell nobody: there is no sampler."""

    def dropped(self, entry: Entry) -> None:
        """Tell nobody: there is no sampler."""

    def close(self) -> None:
        """Close nothing: there is no study."""


class PlannedTrials(FixedTrials):
    """The trials of a replay, in their order."""

    def __init__(self, planned: Sequence[Planned], ledger: Ledger) -> None:
        self.planned, self.ledger = list(planned), ledger

    def next(self) -> Entry | None:
        while self.planned:
            planned = self.planned.pop(0)
            if planned.config.key(planned.data) not in self.ledger.entries:
                return self.ledger.open_planned(planned)
        return None


class CarriedTrials(FixedTrials):
    """The base of a larger scale, and the best of a search with their values as they are there."""

    def __init__(self, carried: Carried, space: Space, base: Training, ledger: Ledger) -> None:
        self.space, self.base, self.ledger = space, base, ledger
        self.waiting: list[Mapping[str, Value]] = [{}, *(trial.values for trial in carried.trials)]

    def next(self) -> Entry | None:
        while self.waiting:
            config = self.space.config(self.base, self.waiting.pop(0))
            if self.ledger.key(config) not in self.ledger.entries:
                return self.ledger.open(self.space.values_of(config), config, None)
        return None


class SampledTrials:
    """Points of a space as Optuna proposes them; it is told how each of them did.

    With ``vocab_size`` a limit on parameters is judged before anything is trained.
    """

    def __init__(
        self, space: Space, base: Training, ledger: Ledger, sampler: Sampler, vocab_size: int | None = None
    ) -> None:
        self.space, self.base, self.ledger, self.sampler = space, base, ledger, sampler
        self.vocab_size = vocab_size
        self.short = SHORT  # zero where trials are played, which then take no time
        self._asked: Suggestion | None = None  # one that no trial was made of yet
        self._are_short = False  # trials, by the last one that ended

    def next(self) -> Entry | None:
        """The next point that is new and valid. What is invalid becomes a row; what is known is told once more."""
        for _ in range(ASKS):
            asked, self._asked = self._asked or self.sampler.ask(), None
            try:
                config = self.space.config(self.base, asked.values)
            except ValueError as error:
                refused = self.ledger.refuse(asked.values, str(error), asked.number)
                self._tell(asked.number, TrialEnd(asked.values, "infeasible", None, attributes=attributes_of(refused)))
                continue
            if self._refused_for_size(asked, config):
                continue
            known = self.ledger.entries.get(self.ledger.key(config))
            if known is None:
                entry = self.ledger.open(asked.values, config, asked.number)
                self.sampler.describe_trial(asked.number, attributes_of(entry))
                return entry
            for milestone, value in known.milestones.items():
                self.sampler.report(asked.number, milestone, value)
            self._tell(asked.number, self.ledger.end_of(known))
        return None

    def prepare(self) -> None:
        """Ask for the next point before a slot is free, while trials are so short that a slot would wait for it.

        It is asked without the end of the trial that makes the slot free: as if there were a slot more.
        """
        if self._asked is None and self._are_short:
            self._asked = self.sampler.ask()

    def _refused_for_size(self, asked: Suggestion, config: Training) -> bool:
        """Refuse ``config`` if it breaks a constraint that needs no training: write it down, tell it, return True."""
        limits = [c for c in self.space.constraints if c.measure in constraints.BEFORE_TRAINING]
        if not limits or self.vocab_size is None or not isinstance(config, TrainConfig):
            return False
        known: Measured = {"parameters": constraints.num_parameters(config, self.vocab_size)}
        if not (why := constraints.violation(limits, known)):
            return False
        refused = self.ledger.refuse(asked.values, why, asked.number, known["parameters"])
        excesses, said = constraints.excesses(limits, known, None), attributes_of(refused)
        self._tell(asked.number, TrialEnd(asked.values, "infeasible", None, excesses=excesses, attributes=said))
        return True

    def reached(self, entry: Entry, milestone: float, value: float) -> None:
        if entry.optuna_number is not None:
            self.sampler.report(entry.optuna_number, milestone, value)

    def ended(self, entry: Entry) -> None:
        """Tell the study, and see how long trials take.

        A trial of an earlier start, which the study does not have open, is added to it once it is over.
        """
        began, ended = entry.row["started_at"], entry.row["ended_at"]
        self._are_short = began is not None and ended is not None and ended - began < self.short
        if entry.optuna_number is not None:
            self._tell(entry.optuna_number, self.ledger.end_of(entry))
            entry.optuna_number = None
        elif entry.status in ENDED and entry.stage == SEARCH:
            self.sampler.add(self.ledger.end_of(entry))

    def _tell(self, number: int, end: TrialEnd) -> None:
        self.sampler.tell(number, end.status, end.value, end.second, end.excesses, end.attributes)

    def dropped(self, entry: Entry) -> None:
        if entry.optuna_number is not None:
            self.sampler.tell(entry.optuna_number, "interrupted", None)

    def close(self) -> None:
        self.sampler.close()
