"""Promotion: stopped trials that go on again from their checkpoints, where the evidence turns.

A trial was stopped for a small chance of ending as the best, by the trials that had finished until then. With each that
finishes later the chances are known better. The checkpoints of the stopped trials with the largest ones are kept, and
one of them goes on where its chance is no smaller than that of a new trial. A checkpoint loses first its place in the
row and then its file, so that after a kill -9 no row names one that is gone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from results.promotions import promotions_of
from results.store.row_parts import given
from results.store.row_types import TrialRow
from results.store.statuses import SEARCH
from terminal.short import decimals
from tuner.campaign.entry import Entry
from tuner.campaign.trial_files import TrialFiles
from tuner.campaign.trials import Ledger
from tuner.early_stopping import Promise, Stopper
from tuner.spec import MOST_PAUSED


class Promotions:
    """Stopped trials of one start of a campaign that may go on."""

    def __init__(
        self, is_on: bool, ledger: Ledger, files: TrialFiles, stopper: Stopper, say: Callable[[str], None]
    ) -> None:
        """``say`` gets a line for each trial that goes on. Call it while no trial runs: it takes up what rows name."""
        self.is_on, self.ledger, self.files, self.stopper, self.say = is_on, ledger, files, stopper, say
        self.paused: dict[str, Entry] = {}
        for entry in ledger.entries.values():
            if is_paused(entry):
                self.paused[entry.key] = entry
                if not is_on or files.checkpoint(entry.key) is None:
                    self._drop(entry)
        self.prune()

    def checkpoint_at(self, entry: Entry) -> list[float]:
        """List the milestones at which a trial that is asked for now writes checkpoints, since it may be stopped."""
        may_stop = self.is_on and entry.stage == SEARCH and entry.key not in self.stopper.protected
        return list(self.stopper.milestones) if may_stop else []

    def kept(self, entry: Entry) -> str | None:
        """Return the checkpoint to keep of a trial that early stopping has just ended; None where there is none."""
        return self.files.checkpoint(entry.key) if self.is_on and entry.stage == SEARCH else None

    def pause(self, entry: Entry) -> None:
        """Take up a trial whose row says that it is stopped and names its checkpoint."""
        self.files.pause(entry.key)
        self.paused[entry.key] = entry

    def promise(self, entry: Entry) -> Promise | None:
        """Return the trial's promise now; None where nothing is known."""
        rung = entry.row["rung"]
        return None if rung is None else self.stopper.promise(entry.key, rung)

    def best(self) -> tuple[Entry, Promise] | None:
        """The trial that is to go on next, and why; None where none is worth it."""
        known = [(entry, found) for entry in list(self.paused.values()) if (found := self.promise(entry)) is not None]
        enough = [(entry, found) for entry, found in known if found.is_enough]
        return max(enough, key=lambda pair: (pair[1].against_a_new_one, -pair[0].number), default=None)

    def next(self) -> Entry | None:
        """Let the best trial go on: its row then has the status of an interrupted one, which a resume takes up too."""
        if (found := self.best()) is None:
            return None
        entry, promise = found
        del self.paused[entry.key]
        row = entry.row
        stop = {
            "rung": row["rung"],
            "value": row["last_value"],
            "cutoff": row["cutoff"],
            "reason": row["reason"],
            "stopped_at": given(row["ended_at"]).isoformat(),
            "why": str(promise),
            "at": self.ledger.now().isoformat(),
        }
        columns: TrialRow = {
            "rung": None,
            "cutoff": None,
            "promotions": json.dumps([*promotions_of(row), stop]),
            "checkpoint": self.files.checkpoint(entry.key),
        }
        self.ledger.close(entry.key, "interrupted", f"goes on: {promise}", columns)
        entry.started = False
        at = f"from {decimals(given(row['last_value']))} at rung {promise.rung:.10g}"
        self.say(f"trial {entry.number} goes on {at}: {promise}")
        return entry

    def prune(self) -> None:
        """Give up the least promising ones of more than ``MOST_PAUSED``."""
        if len(self.paused) <= MOST_PAUSED:
            return

        def place(entry: Entry) -> tuple[float, float]:
            found, value = self.promise(entry), entry.row["last_value"]
            return (math.inf if found is None else -found.against_a_new_one, math.inf if value is None else value)

        for entry in sorted(self.paused.values(), key=place)[MOST_PAUSED:]:
            self._drop(entry)

    def give_up(self) -> None:
        """Remove all checkpoints: the search is over."""
        for entry in list(self.paused.values()):
            self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        del self.paused[entry.key]
        self.ledger.without(entry, "checkpoint")
        self.files.remove_checkpoints(entry.key)


def is_paused(entry: Entry) -> bool:
    """Tell whether a trial is stopped, and may go on."""
    return entry.status == "stopped" and entry.row["checkpoint"] is not None
