"""The search, top to bottom: a space becomes trials, trials become rows.

``Search`` decides (what to try next, what an ended trial means); ``fit`` lets Ray Tune run it. Between them stands
``cluster/ray_tune.py``, so that a simulator can drive the same decisions without Ray.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from results.design import Design
from results.store.campaign_folder import Store
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import ENDED, SEARCH, Status
from search_spaces import constraints
from search_spaces.objectives import Measured
from search_spaces.space import Space
from storage.location import absolute
from trainable.config import Budget, TrainConfig
from trainable.own.source import Source
from trainable.training import Training
from trainable.worker.ray_trainable import Request
from tuner.campaign import lock
from tuner.campaign.journal_files import JOURNAL
from tuner.campaign.row_config import to_json
from tuner.campaign.same_device import OneDevice, by_the_clock
from tuner.campaign.trial_files import TrialFiles
from tuner.campaign.trials import Entry, Ledger
from tuner.confirm import Confirmation
from tuner.early_stopping import Stopper, rounded, rungs
from tuner.failures import LONGEST_NOTE, loss_of, reason_of, stalled, without_middle
from tuner.plan.cost import tokens_of
from tuner.proposals.replay_plan import Planned
from tuner.proposals.reuse import Library
from tuner.proposals.sampler import Sampler, Suggestion
from tuner.proposals.trial_end import TrialEnd
from tuner.proposals.warm_start import Prior
from tuner.spec import CampaignSpec

SPENT = "the space has no further configs"
SAME_ERRORS = 3  # trials in a row that end with one error: then it is everyone's, and the campaign ends
ASKS = 100  # suggestions in a row that are known or invalid before the space counts as exhausted


@dataclass(frozen=True)
class Settings:
    """How a search is run; nothing here changes what a trial is."""

    trials: int
    slots: int
    seed: int
    stopper: str = "asha"  # a name in tuner/early_stopping.py
    fidelity: str = "truncate"  # a name in trainable/worker/fidelity.py
    hours: float | None = None
    threads: int = 1
    compile: bool = False
    reports: int = 0  # evaluations on the way, evenly over a trial's budget, beside those at rungs
    stall_seconds: float = 1800.0  # without a finished step, after which a trial counts as hanging
    mixed_devices: bool = False  # let seconds on unlike devices be compared
    confirm: Design | None = None  # what trains after the search; see results/statistics/confirmation.py
    ablate: bool = False  # and then: which of the winner's changes it can do without
    fresh_seed: int | None = None  # where the confirmation's seeds begin; None: after the search's own

    @classmethod
    def of(cls, spec: CampaignSpec, seed: int, slots: int, hours: float | None, fresh_seed: int | None) -> Settings:
        """Those of a settled spec, on so many slots."""
        assert spec.trials is not None and spec.stopper is not None and spec.reports is not None, "it is settled"
        return cls(
            trials=spec.trials,
            slots=slots,
            seed=seed,
            stopper=spec.stopper,
            fidelity=spec.fidelity,
            hours=hours,
            compile=spec.compile,
            reports=spec.reports,
            stall_seconds=60 * spec.stall_minutes,
            mixed_devices=spec.mixed_devices,
            confirm=spec.confirm or None,
            ablate=spec.ablate,
            fresh_seed=fresh_seed,
        )


class Search:
    """One start of a campaign: its book, its sampler, its rungs."""

    def __init__(
        self,
        space: Space,
        base: Training,
        store: Store,
        data_fingerprint: str,
        settings: Settings,
        code_version: str = "",
        clock: Callable[[], float] = time.monotonic,
        planned: Sequence[Planned] | None = None,
        vocab_size: int | None = None,
        prior: Prior | None = None,
        library: Library | None = None,
        sources: Sequence[Source] = (),
        worker: Callable[[], Any] | None = None,
    ) -> None:
        """``planned`` are the trials of a replay, in order; without them, Optuna proposes.

        With ``vocab_size`` a limit on parameters is judged before anything is trained. ``prior`` is what the sampler
        starts from, ``library`` holds trials that need no training. ``sources`` are
        the user's own code, which workers execute before they read a config. ``worker`` makes the Trainable of Ray that
        a trial runs by, where it is not ours.
        """
        self.space, self.base, self.settings, self.clock = space, base, settings, clock
        self.folder, self.worker = store.folder, worker
        self.check_held = store.before_write = partial(lock.check, store.folder)
        self.ledger = Ledger(store, space, base, data_fingerprint, code_version)
        self.ledger.restore(planned or ())
        store.take_name()
        self.files = TrialFiles(self.folder)
        self.files.remove_late({entry.key for entry in self.ledger.unfinished()})
        self.waiting = [entry for entry in self.ledger.unfinished() if entry.stage == SEARCH]
        base_key = self.ledger.key(base)
        milestones = rungs(base.budget) if space.measured_on_the_way else []
        self.stopper = Stopper(settings.stopper, space.objective, milestones, protected=frozenset([base_key]))
        self.vocab_size, self.prior, self.library, self.sources = vocab_size, prior, library, tuple(sources)
        self.notes: list[str] = []  # what the campaign got over, in this start
        self.told: list[Callable[[str], None]] = []  # told of each of them
        self._refused: set[str] = set()  # which rows were written without which cells
        store.on_refused = self._note_refused
        self.planned = None if planned is None else list(planned)
        self.sampler = None if planned is not None else self._sampler()
        for entry in self.ledger.entries.values():
            for milestone, value in entry.milestones.items():
                self.stopper.record(milestone, entry.key, value)
        self.live: dict[str, Entry] = {}
        self.started_at = clock()
        self.trained_seconds = 0.0  # by all trials, in this start of the campaign
        self.stopping = ""  # why no further trial starts
        self.signal = int(signal.SIGINT)  # if that is because of one
        self.unwritten: OSError | None = None  # why the results could not be written
        self.spent = False  # whether the space has no further configs
        self.confirmation = self._confirmation()
        self.events: list[Callable[[Entry], None]] = []  # told of each trial that ended
        self._same_errors: list[str] = []
        self._losses: Counter[tuple[str, str]] = Counter()  # of (trial, how it was lost), in this start
        timed = "" if settings.mixed_devices else by_the_clock(base, space)
        self._device = OneDevice(timed, next((d for e in self.ledger.entries.values() if (d := e.row["device"])), ""))

    def _confirmation(self) -> Confirmation | None:
        wanted = self.settings
        if wanted.confirm is None:
            return None
        return Confirmation(self.ledger, wanted.confirm, wanted.ablate, wanted.fresh_seed)

    def _sampler(self) -> Sampler:
        return Sampler(
            self.space,
            self.space.values_of(self.base),
            self.settings.seed,
            self.folder / JOURNAL if isinstance(self.folder, Path) else None,
            self.ledger.ends(),
            self.base.budget.unit,
            self.prior,
            self.ledger.key(self.base) in self.ledger.entries,  # a start that failed at once may have lost it
            self.note,
        )

    def note(self, text: str) -> None:
        """Something that the campaign got over, beside its trials: for the screen, and kept in ``errors/``."""
        text = without_middle(text, LONGEST_NOTE)
        self.notes.append(text)
        self.files.noted(self.notes)
        for tell in self.told:
            tell(text)

    def _note_refused(self, what: str, why: str) -> None:
        """Cells that no row may have, once for each row that lacks them: a worker says the same in every report."""
        if what not in self._refused:
            self._refused.add(what)
            self.note(f"{what}: {why}")

    @property
    def num_started(self) -> int:
        """Trials of the campaign that count against its budget: all but those that could not be built."""
        return sum(e.is_trial for e in list(self.ledger.entries.values()))

    @property
    def exhausted(self) -> bool:
        """Whether no further trial will start."""
        hours = self.settings.hours
        if not self.stopping and hours is not None and self.clock() - self.started_at >= hours * 3600:
            self.stop(f"the {hours:g} hours are over")
        if self.stopping or self.waiting or self.searching:
            return bool(self.stopping)
        if self.confirmation is None:
            return True
        if self.live or not self.confirmation.over:
            return False
        self.stopping = SPENT if self.spent else ""
        return True

    @property
    def over(self) -> bool:
        """Whether nothing runs and no further trial will start."""
        return self.exhausted and not self.live

    @property
    def searching(self) -> bool:
        """Whether the search itself has trials to propose."""
        return not self.spent and self.num_started < self.settings.trials

    @property
    def to_confirm(self) -> int:
        """Runs after the search that are still to start, as far as is known: there may be more."""
        if self.confirmation is None or self.settings.confirm is None:
            return 0
        if self.waiting or self.searching or any(entry.stage == SEARCH for entry in list(self.live.values())):
            return self.settings.confirm.fewest_runs
        return max(0, self.confirmation.num_wanted - len(self.live))

    def next(self) -> Request | None:
        """The next trial to start, or None while every slot is taken. To be asked only while not ``exhausted``."""
        if len(self.live) >= self.settings.slots:
            return None
        entry = self._next_entry()
        while entry is not None and self._reused(entry):
            entry = None if self.exhausted else self._next_entry()
        if entry is None:
            return None
        self.live[entry.key] = entry
        if self.stopping:  # a trial to be reused has ended the campaign: this one is not started
            return None
        return self._request(entry)

    def _next_entry(self) -> Entry | None:
        if self.waiting:
            return self.waiting.pop(0)
        if self.searching:
            if (entry := self._new_entry()) is not None:
                return entry
            self.spent = True
            if self.confirmation is None:
                self.stopping = SPENT  # what runs may end in peace
        if self.confirmation is None or any(entry.stage == SEARCH for entry in self.live.values()):
            return None
        return self.confirmation.next()

    def _reused(self, entry: Entry) -> bool:
        """Whether an earlier campaign has finished this trial; it has then ended here too, at no cost."""
        reusable = self.library is not None and entry.stage == SEARCH and not entry.row["attempt"]
        found = self.library.get(entry.key) if self.library is not None and reusable else None
        if found is None:
            return False
        if unlike := self._device.see(found.row["device"]):
            self.stop(unlike)
            return False
        columns = found.columns(self.space.objective)
        broken = constraints.violation(self.space.constraints, columns)
        self.ledger.reuse(entry.key, found, broken)
        for milestone, value in entry.milestones.items():
            self.stopper.record(milestone, entry.key, value)
            if self.sampler is not None and entry.optuna_number is not None:
                self.sampler.report(entry.optuna_number, milestone, value)
        if self.sampler is not None:
            self._tell(self.sampler, entry)
        for event in self.events:
            event(entry)
        return True

    def _new_entry(self) -> Entry | None:
        return self._planned_entry() if self.sampler is None else self._sampled_entry(self.sampler)

    def _planned_entry(self) -> Entry | None:
        assert self.planned is not None
        while self.planned:
            planned = self.planned.pop(0)
            if planned.config.key(planned.data) not in self.ledger.entries:
                return self.ledger.open_planned(planned)
        return None

    def _sampled_entry(self, sampler: Sampler) -> Entry | None:
        for _ in range(ASKS):
            asked = sampler.ask()
            try:
                config = self.space.config(self.base, asked.values)
            except ValueError as error:
                self.ledger.refuse(asked.values, str(error), asked.number)
                sampler.tell(asked.number, "infeasible", None)
                continue
            if self._refused_for_size(sampler, asked, config):
                continue
            known = self.ledger.entries.get(self.ledger.key(config))
            if known is None:
                return self.ledger.open(asked.values, config, asked.number)
            for milestone, value in known.milestones.items():
                sampler.report(asked.number, milestone, value)
            self._tell_as(sampler, asked.number, self.ledger.end_of(known))
        return None

    def _refused_for_size(self, sampler: Sampler, asked: Suggestion, config: Training) -> bool:
        """Whether ``config`` breaks a constraint that needs no training; it is then written down and told."""
        limits = [c for c in self.space.constraints if c.measure in constraints.BEFORE_TRAINING]
        if not limits or self.vocab_size is None or not isinstance(config, TrainConfig):
            return False
        known: Measured = {"parameters": constraints.num_parameters(config, self.vocab_size)}
        if not (why := constraints.violation(limits, known)):
            return False
        self.ledger.refuse(asked.values, why, asked.number, known["parameters"])
        excesses = constraints.excesses(limits, known, None)
        self._tell_as(sampler, asked.number, TrialEnd(asked.values, "infeasible", None, excesses=excesses))
        return True

    def _request(self, entry: Entry) -> Request:
        assert entry.config is not None, f"{entry.key} is no valid trial"
        searched = entry.stage == SEARCH
        begun = self.files.begin(entry.key, given(entry.row["attempt"]) + 1)
        request = Request(
            key=entry.key,
            config=json.dumps(to_json(entry.config)),
            data_fingerprint=str(entry.row["data"]),
            folder=absolute(self.folder),  # a worker may run elsewhere
            milestones=self.milestones_of(entry),
            fidelity=self.settings.fidelity if searched else "truncate",
            threads=self.settings.threads,
            compile=self.settings.compile,
            stall_seconds=self.settings.stall_seconds,
            train_tokens=tokens_of(entry.config) if isinstance(entry.config, TrainConfig) else None,
            attempt=begun.number,
            checkpoints=begun.names,
            sources=[source.to_json() for source in self.sources],
        )
        if not begun.names:
            entry.restart()
            self.stopper.forget(entry.key)
        return request

    def milestones_of(self, entry: Entry) -> list[float]:
        """Where a trial reports before its end. A run after the search does not: nothing there is stopped early."""
        return [] if entry.config is None or entry.stage != SEARCH else self._milestones(entry.config.budget)

    def _milestones(self, budget: Budget) -> list[float]:
        parts = self.settings.reports + 1
        between = {rounded(budget.amount * part / parts, budget.unit) for part in range(1, parts)}
        comparable = self.stopper.milestones if budget.unit == self.base.budget.unit else []
        return sorted(float(m) for m in between | set(comparable) if 0 < m < budget.amount)

    def start(self, key: str) -> None:
        """A trial's training begins."""
        self.ledger.start(key)

    def report(self, key: str, result: Mapping[str, Any]) -> None:
        """A trial has reached a milestone, or its end."""
        entry = self.live[key]
        before = entry.row["train_seconds"] or 0.0
        if result.get("note"):
            self.ledger.note(key, f"attempt {entry.row['attempt']}: {result['note']}")
        self.ledger.report(key, result)
        after = given(entry.row["train_seconds"])
        self.trained_seconds += max(0.0, after - before)  # less than before: it began again
        if unlike := self._device.see(result.get("device")):
            self.stop(unlike)
        value = result.get(self.space.objective)
        if self.sampler is not None and entry.optuna_number is not None and value is not None:
            self.sampler.report(entry.optuna_number, result["milestone"], value)

    def end(self, key: str, result: Mapping[str, Any]) -> None:
        """A trial has ended by itself, or early stopping has ended it."""
        status, stop = result.get("status", "interrupted"), self.stopper.stops.pop(key, None)
        if stop is not None:
            self._close(key, "stopped", str(stop), {"rung": stop.rung, "cutoff": stop.cutoff})
        elif status == "running" and not _is_finite(result.get(self.space.objective)):
            self._close(key, "diverged", f"{self.space.objective} is not finite at milestone {result['milestone']:g}")
        elif status in ("running", "interrupted"):
            self._close(key, "interrupted", self.stopping, {"checkpoint": self.files.checkpoint(key)})
            return
        elif status == "completed" and not _is_finite(self.live[key].row["last_value"]):
            self._close(key, "diverged", f"it ended with {self.space.objective} {self.live[key].row.get('last_value')}")
        elif violation := self._violation(key, status, result):  # it completed, but may not count
            self._close(key, "infeasible", violation)
        else:
            self._close(key, status, str(result.get("reason", "")))

    def _violation(self, key: str, status: str, result: Mapping[str, Any]) -> str:
        row = self.ledger.entries[key].row
        own = constraints.violation(self.space.constraints, row) if status == "completed" else ""
        return "; ".join(said for said in (str(result.get("violation") or ""), own) if said)

    def fail(self, key: str, error: str) -> None:
        """A trial has died. Its text is kept in ``errors/``, the last line of it in the row."""
        self.files.crashed(key, error)
        if not self.live[key].started:  # it died while it was set up
            self.ledger.start(key)
        self._close(key, "crashed", reason_of(error))

    def die(self, key: str, error: str) -> None:
        """A trial's process is gone. Whether it hung, raised or was lost decides what becomes of the trial.

        One that was lost is next in line again: from its checkpoint if there is one here.
        """
        hung = self.files.hung(key)
        loss = None if hung else loss_of(error)
        if loss is None:
            self.fail(key, stalled(error, hung, self.settings.stall_seconds) if hung else error)
            return
        self._losses[key, loss.why] += 1
        times, entry = self._losses[key, loss.why], self.live[key]
        if times > loss.limit:
            self.fail(key, f"{error}\ngave up: {loss.why} {times} times")
            return
        if not entry.started:  # while it was set up
            self.ledger.start(key)
        self.ledger.note(key, f"attempt {entry.row['attempt']}: {loss.why}")
        self._close(key, "interrupted", loss.why, {"checkpoint": self.files.checkpoint(key)})
        entry.started = False
        self.waiting.insert(0, entry)

    def _close(self, key: str, status: Status, reason: str, columns: TrialRow | None = None) -> None:
        ended = status != "interrupted"
        self.ledger.close(key, status, reason, {"checkpoint": None, **(columns or {})})
        entry = self.live.pop(key)
        self.files.closed(key, ended)  # only now: were the row not written, the trial would go on from its checkpoint
        if self.sampler is not None:
            self._tell(self.sampler, entry)
        for event in self.events:
            event(entry)
        if entry.status == "crashed":  # also a trial that completed with a result that no row may have
            self._count_crash(entry)
        elif ended:
            self._same_errors.clear()

    def _count_crash(self, entry: Entry) -> None:
        reason = str(entry.row["reason"])
        if self.ledger.is_failed_base(entry):
            self.stop(f"the base config crashed, which all others are measured against: {reason}")
        self._same_errors.append(reason)
        if len(self._same_errors) >= SAME_ERRORS and len(set(self._same_errors[-SAME_ERRORS:])) == 1:
            self.stop(f"{SAME_ERRORS} trials in a row ended with the same error: {reason}")

    def _tell(self, sampler: Sampler, entry: Entry) -> None:
        if entry.optuna_number is not None:
            self._tell_as(sampler, entry.optuna_number, self.ledger.end_of(entry))
            entry.optuna_number = None
        elif entry.status in ENDED and entry.stage == SEARCH:
            sampler.add(self.ledger.end_of(entry))

    def _tell_as(self, sampler: Sampler, number: int, end: TrialEnd) -> None:
        sampler.tell(number, end.status, end.value, end.second, end.excesses)

    def stop(self, why: str) -> None:
        """Start nothing more, and let every running trial write its checkpoint and end."""
        if not self.stopping:
            self.stopping = why
            self.files.ask_to_stop()

    def abandon(self) -> None:
        """Close what is still open: trials whose end nobody reported."""
        for key in list(self.live):
            if self.ledger.entries[key].row["attempt"]:
                self._close(key, "interrupted", self.stopping, {"checkpoint": self.files.checkpoint(key)})
            else:  # asked for, never started: it leaves no row behind
                entry = self.live.pop(key)
                if self.sampler is not None and entry.optuna_number is not None:
                    self.sampler.tell(entry.optuna_number, "interrupted", None)
                del self.ledger.entries[key]
        for entry in self.ledger.unfinished():  # not offered again in this start
            if entry.status == "running":
                checkpoint: TrialRow = {"checkpoint": self.files.checkpoint(entry.key)}
                self.ledger.close(entry.key, "interrupted", self.stopping, checkpoint)
        if self.sampler is not None:
            self.sampler.close()
        self.files.remove_late({entry.key for entry in self.ledger.unfinished()})
        self.files.let_run()


def _is_finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)
