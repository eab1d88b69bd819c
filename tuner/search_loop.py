"""The search, top to bottom: a space becomes trials, trials become rows.

``Search`` decides what to try next and what an ended trial means; ``cluster/ray_tune.py`` lets Ray Tune run it, a
simulator drives the same decisions without Ray. What it decides by stands in ``loop/``: the queue, reuse, requests to
workers, endings, stopping. Here it is tied together, and the book, the study and the files are told of every event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from results.store.campaign_folder import Store
from results.store.no_collections import no_collections
from results.store.row_parts import value_of
from results.store.row_types import TrialRow
from results.store.statuses import Status
from terminal.program import INTERRUPTION
from trainable.worker.request import Request
from tuner.campaign import lock
from tuner.campaign.entry import Entry
from tuner.campaign.journal_files import JOURNAL
from tuner.campaign.notes import Notes
from tuner.campaign.planned import Planned
from tuner.campaign.same_device import OneDevice, by_the_clock
from tuner.campaign.trial_files import TrialFiles
from tuner.campaign.trials import Ledger
from tuner.confirm import Confirmation
from tuner.early_stopping import PREDICTIVE, Stopper, rungs
from tuner.failures import gave_up, is_out_of_memory, loss_of, reason_of, stalled
from tuner.loop.endings import Losses, SameErrors, ending, tell_end
from tuner.loop.inputs import SAMPLED, OneStart, Problem, TrialOrigins
from tuner.loop.keeping import Keeping
from tuner.loop.promotion import Promotions, is_paused
from tuner.loop.proposals import CarriedTrials, PlannedTrials, Proposals, SampledTrials
from tuner.loop.queue import Queue
from tuner.loop.requests import Requests
from tuner.loop.reuse import Reuse
from tuner.loop.stopping import Stopping
from tuner.proposals.sampler import Sampler
from tuner.proposals.warm_start import Prior
from tuner.search_methods import TPE_UNIFORM
from tuner.spec import KEEP_NONE

SPENT = "the space has no further configs"
ABOUT = ("space", "scale", "question", "data_description", "code_version")  # of the campaign, that its study has too


class Search:
    """One start of a campaign: its book, its sampler, its rungs."""

    def __init__(self, problem: Problem, store: Store, here: OneStart, origins: TrialOrigins = SAMPLED) -> None:
        spec = problem.spec
        assert spec.trials is not None and spec.stopper is not None, "it is settled"
        self.space, self.base, self.spec, self.here = problem.space, problem.base, spec, here
        self.folder, self.sources = store.folder, problem.sources
        self.check_held = store.before_write = partial(lock.check, store.folder)
        self.ledger = Ledger(store, self.space, self.base, problem.data_fingerprint, here.code_version)
        self.ledger.restore(origins.planned or ())
        store.take_name()
        self.files = TrialFiles(self.folder)
        self._remove_late()
        self._notes = Notes(self.files)
        self.notes, self.told, self.note = self._notes.texts, self._notes.told, self._notes.note
        store.on_refused = self._notes.note_refused
        self.stopper = self._stopper(spec.stopper)
        self._learn_from(origins.prior)
        self.proposals = self._proposals(origins, problem.vocab_size)
        self.confirmation = self._confirmation()
        self.promotions = Promotions(bool(spec.promote), self.ledger, self.files, self.stopper, self.note)
        self.queue = Queue(self.ledger, self.proposals, spec.trials, self.promotions, self.confirmation)
        self.live = self.queue.live
        self._reuse = Reuse(origins.library, self.space, self.ledger, self.stopper, self.proposals)
        self.keeping = Keeping(spec.keep or KEEP_NONE, self.ledger, self.confirmation)
        self.keeping.tidy()
        unit = self.base.budget.unit
        on_the_way = self.keeping.wants, self.promotions.checkpoint_at
        self.requests = Requests(spec, self.files, self.stopper, unit, here, self.sources, *on_the_way)
        self._stopping = Stopping(here.hours, here.clock, self.files.ask_to_stop)
        self._losses, self._same_errors = Losses(), SameErrors()
        self.device = self._one_device()
        self.unwritten: OSError | None = None  # why the results could not be written
        self.events: list[Callable[[Entry], None]] = []  # told of each trial that ended
        self.begun: list[Callable[[Entry], None]] = []  # told of each attempt that begins
        self.reported: list[Callable[[Entry, int], None]] = []  # of each report, once it and its curve are written

    # --- its parts ----------------------------------------------------------------------------------------------------

    def _stopper(self, name: str) -> Stopper:
        """Early stopping, with what the trials of earlier starts had at its rungs."""
        milestones = rungs(self.base.budget) if self.space.measured_on_the_way else []
        protected = frozenset([self.ledger.key(self.base)])
        stopper = Stopper(name, self.space.objective, milestones, protected=protected)
        for entry in self.ledger.entries.values():
            for milestone, value in entry.milestones.items():
                stopper.record(milestone, entry.key, value)
            tell_end(stopper, entry)
        return stopper

    def _learn_from(self, prior: Prior | None) -> None:
        """Tell predictive termination what the same trials had on their way in an earlier campaign.

        The other rules rank the campaign's own trials, and by another fidelity than ``truncate`` those of other runs.
        """
        if prior is None or self.spec.stopper != PREDICTIVE or self.spec.fidelity != "truncate":
            return
        for point in prior.points:
            if point.same and point.at_rungs:
                for rung, value in point.at_rungs:
                    self.stopper.record(rung, point.name, value)
                self.stopper.finished(point.name, point.score)

    def _proposals(self, origins: TrialOrigins, vocab_size: int | None) -> Proposals:
        """The trials of a replay, those carried over from a search, or those that a sampler proposes."""
        if origins.planned is not None:
            return PlannedTrials(origins.planned, self.ledger)
        if self.spec.carried is not None:
            return CarriedTrials(self.spec.carried, self.space, self.base, self.ledger)
        sampler = origins.sampler or self._sampler(origins.prior)
        return SampledTrials(self.space, self.base, self.ledger, sampler, vocab_size)

    @no_collections()
    def _sampler(self, prior: Prior | None) -> Sampler:
        """Optuna's study, rebuilt from the trials of earlier starts."""
        return Sampler(
            self.space,
            self.space.values_of(self.base),
            self.here.seed,
            self.folder / JOURNAL if isinstance(self.folder, Path) else None,
            self.ledger.ends(),
            self.base.budget.unit,
            prior,
            self.ledger.key(self.base) in self.ledger.entries,  # a start that failed at once may have lost it
            self.note,
            self.folder.name,
            {name: self.ledger.campaign[name] for name in ABOUT if name in self.ledger.campaign},
            self.spec.sampler or TPE_UNIFORM,
            self.ledger.replicates(),
        )

    def _confirmation(self) -> Confirmation | None:
        if not self.spec.confirm:
            return None
        return Confirmation(self.ledger, self.spec.confirm, self.spec.ablate, self.here.fresh_seed)

    def _one_device(self) -> OneDevice:
        timed = "" if self.spec.mixed_devices else by_the_clock(self.base, self.space)
        return OneDevice(timed, next((d for e in self.ledger.entries.values() if (d := e.row["device"])), ""))

    # --- how it stands ------------------------------------------------------------------------------------------------

    @property
    def trials(self) -> int:
        """The campaign's budget of trials, earlier starts included."""
        return self.queue.trials

    @property
    def num_started(self) -> int:
        """Trials of the campaign that count against its budget: all but those that could not be built."""
        return self.queue.num_started

    @property
    def planned(self) -> Sequence[Planned] | None:
        """The trials of a replay that have not been handed out; None of a search."""
        return self.proposals.planned if isinstance(self.proposals, PlannedTrials) else None

    @property
    def to_confirm(self) -> int:
        """Runs after the search that are still to start, as far as is known: there may be more."""
        return self.queue.to_confirm

    @property
    def stopping(self) -> str:
        """Say why no further trial starts; empty where all is done, or trials still may start."""
        return self._stopping.why

    @property
    def signal(self) -> int:
        """The signal that it ends by, where it is one."""
        return self._stopping.signal

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the hours of this start are over; None where they are not limited."""
        return self._stopping.seconds_left

    @property
    def exhausted(self) -> bool:
        """Tell whether no further trial will start."""
        self._stopping.watch_hours()
        if not self.stopping and self.queue.empty:
            self._stopping.why = SPENT if self.queue.spent else ""
            return True
        return bool(self.stopping)

    @property
    def over(self) -> bool:
        """Tell whether nothing runs and no further trial will start."""
        return self.exhausted and not self.live

    # --- what comes next ----------------------------------------------------------------------------------------------

    def next(self) -> Request | None:
        """The next trial to start, or None while every slot is taken. To be asked only while not ``exhausted``."""
        if len(self.live) >= self.here.slots:
            if len(self.live) > 1 and not self.stopping:  # a search in one slot is the same each time
                self.queue.prepare()
            return None
        entry = self._next_entry()
        while entry is not None and self._reused(entry):
            entry = None if self.exhausted else self._next_entry()
        if entry is None:
            return None
        self.live[entry.key] = entry
        if self.stopping:  # a trial to be reused has ended the campaign: this one is not started
            return None
        return self.requests.make(entry)

    def _next_entry(self) -> Entry | None:
        entry = self.queue.next()
        if self.queue.spent and self.confirmation is None and not self.promotions.paused:
            self._stopping.why = self.stopping or SPENT  # what runs may end in peace
        return entry

    def _reused(self, entry: Entry) -> bool:
        """Take the trial over from an earlier campaign that finished it: it has then ended here too, at no cost."""
        found = self._reuse.find(entry)
        if found is None or not self._is_alike(found.row["device"]):
            return False
        self._reuse.take(entry, found)
        for event in self.events:
            event(entry)
        return True

    def _is_alike(self, device: str | None) -> bool:
        """Tell whether seconds on a device may be compared with those so far; if not, end the campaign."""
        if unlike := self.device.see(device):
            self.stop(unlike)
        return not unlike

    # --- how a trial goes ---------------------------------------------------------------------------------------------

    def start(self, key: str) -> None:
        """A trial's training begins."""
        self.ledger.start(key)
        for tell in self.begun:
            tell(self.ledger.entries[key])

    def report(self, key: str, result: Mapping[str, Any]) -> None:
        """A trial has reached a milestone, or its end."""
        entry = self.live[key]
        if result.get("note"):
            self.ledger.note(key, f"attempt {entry.row['attempt']}: {result['note']}")
        self.ledger.report(key, result, is_followed=bool(self.reported))
        self._is_alike(result.get("device"))
        value = value_of(result, self.space.objective)
        if value is not None:
            self.proposals.reached(entry, result["milestone"], value)
        for tell in self.reported:
            tell(entry, result["step"])

    def end(self, key: str, result: Mapping[str, Any]) -> None:
        """A trial has ended by itself, or early stopping has ended it."""
        end = ending(self.ledger.entries[key].row, result, self.stopper.stops.pop(key, None), self.space)
        if end.status == "interrupted":
            self._interrupted(key, self.stopping)
        else:
            weights: TrialRow = {"weights": self.keeping.taken(self.ledger.entries[key], end.status, result)}
            self._close(key, end.status, end.reason, {**end.columns, **weights})
            if weights["weights"]:
                self.keeping.prune()

    def fail(self, key: str, error: str, reason: str = "") -> None:
        """Close a trial that has died. Its text is kept in ``errors/``, the reason or a line of it in the row."""
        self.files.crashed(key, error)
        if not self.live[key].started:  # it died while it was set up
            self.ledger.start(key)
        self._close(key, "crashed", reason or reason_of(error))

    def die(self, key: str, error: str) -> None:
        """A trial's process is gone. Whether it hung, raised or was lost decides what becomes of the trial.

        One that was lost is next in line again: from its checkpoint if there is one here.
        """
        hung = self.files.hung(key)
        loss = None if hung else loss_of(error)
        if loss is None:
            self.fail(key, stalled(error, hung, 60 * self.spec.stall_minutes) if hung else error)
            return
        if given_up := self._losses.count(key, loss):
            self.fail(key, f"{error}\n{given_up}", gave_up(given_up, loss, error))
            return
        entry = self.live[key]
        if not entry.started:  # while it was set up
            self.ledger.start(key)
        self.ledger.note(key, f"attempt {entry.row['attempt']}: {loss.why}")
        self._interrupted(key, loss.why)
        entry.started = False
        self.queue.again(entry)

    def _interrupted(self, key: str, why: str) -> None:
        """Close an attempt that a later one goes on from, at its checkpoint."""
        self._close(key, "interrupted", why, {"checkpoint": self.files.checkpoint(key)})

    def _close(self, key: str, status: Status, reason: str, columns: TrialRow | None = None) -> None:
        ended = status != "interrupted"
        kept: TrialRow = {"checkpoint": self.promotions.kept(self.live[key]) if status == "stopped" else None}
        self.ledger.close(key, status, reason, {**kept, **(columns or {})})
        entry = self.live.pop(key)
        self._finished(entry)
        paused = is_paused(entry)
        self.files.closed(key, ended and not paused)  # only now: were the row not written, it would go on from there
        if paused:
            self.promotions.pause(entry)
        self.promotions.prune()
        self.proposals.ended(entry)
        for event in self.events:
            event(entry)
        if entry.status == "crashed":  # also a trial that completed with a result that no row may have
            self._crashed(entry)
        elif ended:
            self._same_errors.worked()

    def _finished(self, entry: Entry) -> None:
        """Let early stopping learn from the end of a trial, and say where it decides otherwise from now on.

        Runs after the search tell it nothing and are never stopped: a resume among them has no news of rungs.
        """
        tell_end(self.stopper, entry)
        for text in self.stopper.news() if entry.is_trial else ():
            self.note(text)

    def _crashed(self, entry: Entry) -> None:
        reason = str(entry.row["reason"])
        if self.ledger.is_failed_base(entry):
            self.stop(f"the base config crashed, which all others are measured against: {reason}")
        if is_out_of_memory(reason):  # ordinary in a space of which a part does not fit: it says nothing of the others
            self._same_errors.worked()
        elif why := self._same_errors.crashed(reason):
            self.stop(why)

    # --- how it ends --------------------------------------------------------------------------------------------------

    def stop(self, why: str) -> None:
        """Start nothing more, and let every running trial write its checkpoint and end."""
        self._stopping.stop(why)

    def interrupt(self, number: int) -> None:
        """Stop because of a signal."""
        self._stopping.interrupt(INTERRUPTION, number)

    def keep_wanted(self) -> None:
        """Remove the weights that are not to stay, now that nothing runs: all but the wanted ones where all is done."""
        over = not self.ledger.unfinished() and self.queue.empty
        if over:
            self.promotions.give_up()
        self.keeping.prune(over=over)
        self.keeping.tidy()

    def _remove_late(self) -> None:
        """Remove what workers that were cut off wrote of trials that do not go on. Call it while no trial runs."""
        paused = [entry for entry in self.ledger.entries.values() if is_paused(entry)]
        self.files.remove_late({entry.key for entry in (*self.ledger.unfinished(), *paused)})

    def abandon(self) -> None:
        """Close what is still open: trials whose end nobody reported."""
        for key in list(self.live):
            if self.ledger.entries[key].row["attempt"]:
                self._interrupted(key, self.stopping)
            else:  # asked for, never started: it leaves no row behind
                self.proposals.dropped(self.live.pop(key))
                del self.ledger.entries[key]
        for entry in self.ledger.unfinished():  # not offered again in this start
            if entry.status == "running":
                checkpoint: TrialRow = {"checkpoint": self.files.checkpoint(entry.key)}
                self.ledger.close(entry.key, "interrupted", self.stopping, checkpoint)
        self.proposals.close()
        self.keep_wanted()
        self._remove_late()
        self.ledger.store.settle(at_once=True)
        self.files.let_run()
