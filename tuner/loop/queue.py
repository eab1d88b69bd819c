"""The order of trials: those that an earlier start left open, new ones of the search, those that confirm its best."""

from __future__ import annotations

from results.store.statuses import SEARCH
from tuner.campaign.entry import Entry
from tuner.campaign.trials import Ledger
from tuner.confirm import Confirmation
from tuner.loop.promotion import Promotions
from tuner.loop.proposals import Proposals


class Queue:
    """The trials of one start of a campaign that wait, that run, and that are still to be found."""

    def __init__(
        self,
        ledger: Ledger,
        proposals: Proposals,
        trials: int,
        promotions: Promotions,
        confirmation: Confirmation | None = None,
    ) -> None:
        """``trials`` is the campaign's budget, which those of earlier starts count against."""
        self.ledger, self.proposals, self.trials, self.confirmation = ledger, proposals, trials, confirmation
        self.promotions = promotions
        self.waiting = [entry for entry in ledger.unfinished() if entry.stage == SEARCH]
        self.live: dict[str, Entry] = {}
        self.spent = False  # whether the space has no further configs

    @property
    def num_started(self) -> int:
        """Trials of the campaign that count against its budget: all but those that could not be built."""
        return self.ledger.entries.num_trials

    @property
    def searching(self) -> bool:
        """Tell whether the search itself has trials to propose."""
        return not self.spent and self.num_started < self.trials

    @property
    def empty(self) -> bool:
        """Tell whether nothing more will come, whatever the running trials report."""
        if self.waiting or self.searching:
            return False
        if self.promotions.paused and (self._search_runs() or self.promotions.best() is not None):
            return False
        return self.confirmation is None or (not self.live and self.confirmation.over)

    @property
    def to_confirm(self) -> int:
        """Runs after the search that are still to start, as far as is known: there may be more."""
        if self.confirmation is None:
            return 0
        if self.waiting or self.searching or self._search_runs():
            return self.confirmation.design.fewest_runs
        return max(0, self.confirmation.num_wanted - len(self.live))

    def next(self) -> Entry | None:
        """The next one; None while those that run decide what comes, and where nothing does."""
        if self.waiting:
            return self.waiting.pop(0)
        if (entry := self.promotions.next()) is not None:
            return entry
        if self.searching:
            if (entry := self.proposals.next()) is not None:
                return entry
            self.spent = True
        if self._search_runs():
            return None
        self.promotions.give_up()
        return None if self.confirmation is None else self.confirmation.next()

    def prepare(self) -> None:
        """Let the next trial be found while others run, where that is worth it."""
        if self.searching and not self.waiting:
            self.proposals.prepare()

    def _search_runs(self) -> bool:
        return any(entry.stage == SEARCH for entry in list(self.live.values()))

    def again(self, entry: Entry) -> None:
        """Offer a trial that was lost before all others."""
        self.waiting.insert(0, entry)
