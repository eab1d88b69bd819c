"""Trials that have ended: put into a study all at once, as a start of a campaign does with those of earlier ones, and
not gone through again for each question.

Optuna adds a trial by writing it into its journal, reading that line back and making the trial of it: half a
millisecond each, five seconds of ten thousand. Here the trials are made once, for the study and for the lines; both are
what ``Study.add_trial`` leaves (a test compares them).
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution, distribution_to_json
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import FrozenTrial, TrialState

from tuner.campaign.journal import Journal


class Made:
    """Maker of a study's trials. Equal ranges are one object in all of them: else they would take 6 KB a trial."""

    def __init__(self, ranges: Mapping[str, BaseDistribution]) -> None:
        self._ranges = ranges
        self._of_paths: dict[tuple[str, ...], dict[str, BaseDistribution]] = {}
        self._values: dict[tuple[str, type, Any], tuple[float, Any]] = {}  # as Optuna keeps them, and gives them back

    def trial(self, params: Mapping[str, Any], **fields: Any) -> FrozenTrial:
        """A trial that has ended, without a number. A ValueError for a value that is not within its range."""
        paths = tuple(params)
        if (ranges := self._of_paths.get(paths)) is None:
            ranges = self._of_paths[paths] = {path: self._ranges[path] for path in paths}
        found: dict[str, Any] = {}
        for path, value in params.items():
            own = ranges[path]
            if type(value) is not float or type(own) is not FloatDistribution or not own.low <= value <= own.high:
                value = self._kept(path, own, value)[1]
            found[path] = value
        return FrozenTrial(
            number=-1, trial_id=-1, value=None, params=found, distributions=ranges, system_attrs={}, **fields
        )

    def inner(self, trial: FrozenTrial) -> dict[str, float]:
        """The values of a trial as Optuna keeps them."""
        return {
            path: value if type(value) is float else self._kept(path, trial.distributions[path], value)[0]
            for path, value in trial.params.items()
        }

    def _kept(self, path: str, own: BaseDistribution, value: Any) -> tuple[float, Any]:
        place = path, type(value), value
        if place not in self._values:
            inner = own.to_internal_repr(value)
            if not own._contains(inner):
                raise ValueError(f"The value {value} of parameter '{path}' isn't contained in the distribution {own}.")
            self._values[place] = inner, own.to_external_repr(inner)
        return self._values[place]


class MemoryStudies(InMemoryStorage):
    """Optuna's storage without a file, to which ended trials are added at once."""

    def add_ended(self, study_id: int, trials: Sequence[FrozenTrial], made: Made) -> None:
        """Add trials of :class:`Made`."""
        with self._lock:
            info = self._studies[study_id]
            for trial in trials:
                self._max_trial_id += 1
                trial._trial_id, trial.number = self._max_trial_id, len(info.trials)
                self._trial_id_to_study_id_and_number[trial._trial_id] = study_id, trial.number
                info.trials.append(trial)
                self._update_cache(trial._trial_id, study_id)


class SeenTrials:
    """The trials of a study by number, each looked at while it is open and once more.

    Optuna goes through all of them for each ask, twice: for those that wait, and to hand them to the sampler. Of ten
    thousand that was a sixth of an ask. A trial that has ended is never another one again.
    """

    def __init__(self) -> None:
        self._trials: list[FrozenTrial] = []
        self._open: list[int] = []  # numbers of those that had not ended

    def read(self, ids: Sequence[int], trials: Mapping[int, FrozenTrial]) -> None:
        """Take in the study's trials, by their ids in the order of numbers."""
        looked_at, self._open = [*self._open, *range(len(self._trials), len(ids))], []
        for number in looked_at:
            trial = trials[ids[number]]
            self._trials[number : number + 1] = [trial]
            if not trial.state.is_finished():
                self._open.append(number)

    def of(self, states: Container[TrialState] | None) -> list[FrozenTrial]:
        """The trials that are in one of these states; all of them for None."""
        if states is None:
            return list(self._trials)
        if any(state.is_finished() and state in states for state in TrialState):
            return [trial for trial in self._trials if trial.state in states]
        return [trial for number in self._open if (trial := self._trials[number]).state in states]


class JournalStudies(JournalStorage):
    """Optuna's storage with a journal, to which ended trials are added at once."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.journal = journal
        self._seen: dict[int, SeenTrials] = {}  # by study

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        with self._thread_lock:
            self._sync_with_backend()
            known = self._replay_result
            if study_id not in known._studies:
                raise KeyError(f"no study {study_id}")
            seen = self._seen.setdefault(study_id, SeenTrials())
            seen.read(known._study_id_to_trial_ids[study_id], known._trials)
            found = seen.of(states)
            return copy.deepcopy(found) if deepcopy else found

    def add_ended(self, study_id: int, trials: Sequence[FrozenTrial], made: Made) -> None:
        """Add trials of :class:`Made`."""
        lines = Lines(self._worker_id_prefix + str(threading.get_ident()), study_id, trials, made)
        with self._thread_lock:
            self._sync_with_backend()
            self.journal.append_made(len(trials), lines)
            known = self._replay_result
            known.log_number_read += len(trials)
            of_study = known._study_id_to_trial_ids[study_id]
            for trial in trials:
                trial._trial_id, trial.number = len(known._trials), len(of_study)
                known._trials[trial._trial_id] = trial
                known._trial_id_to_study_id[trial._trial_id] = study_id
                of_study.append(trial._trial_id)


@dataclass(frozen=True)
class Lines:
    """The lines of a journal that add trials, made whenever they are asked for: they are 4 KB a trial."""

    worker: str
    study_id: int
    trials: Sequence[FrozenTrial]
    made: Made

    def __iter__(self) -> Iterator[str]:
        ranges: dict[int, str] = {}  # the text of each set of ranges, by its id: trials share them
        for trial in self.trials:
            own = trial.distributions
            if id(own) not in ranges:
                text = json.dumps({path: distribution_to_json(one) for path, one in own.items()}, separators=(",", ":"))
                ranges[id(own)] = text
            several = trial.values is not None and len(trial.values) > 1
            log = {
                "op_code": int(JournalOperation.CREATE_TRIAL),
                "worker_id": self.worker,
                "study_id": self.study_id,
                "datetime_start": _utc(trial.datetime_start),
                "state": int(trial.state),
                "value": None if several else trial.value,
                "values": trial.values if several else None,
                "datetime_complete": _utc(trial.datetime_complete),
                "params": self.made.inner(trial),
                "user_attrs": trial.user_attrs,
                "system_attrs": trial.system_attrs,
                "intermediate_values": trial.intermediate_values,
            }
            yield f'{json.dumps(log, separators=(",", ":"))[:-1]},"distributions":{ranges[id(own)]}}}'


def _utc(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat(timespec="microseconds")
