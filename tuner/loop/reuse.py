"""Trials that need no training here: an earlier campaign has finished the same ones."""

from __future__ import annotations

from results.store.statuses import SEARCH
from search_spaces import constraints
from search_spaces.objectives import COSTS, OBJECTIVES, cost_of
from search_spaces.space import Space
from tuner.campaign.entry import Entry
from tuner.campaign.finished import Finished
from tuner.campaign.trials import Ledger
from tuner.early_stopping import Stopper
from tuner.loop.endings import tell_end
from tuner.loop.proposals import Proposals
from tuner.proposals.reuse import Library


class Reuse:
    """Looks trials up in a library of finished ones, and takes what it finds into the campaign."""

    def __init__(
        self, library: Library | None, space: Space, ledger: Ledger, stopper: Stopper, proposals: Proposals
    ) -> None:
        self.library, self.space = library, space
        self.ledger, self.stopper, self.proposals = ledger, stopper, proposals

    def find(self, entry: Entry) -> Finished | None:
        """The same trial of an earlier campaign. None for one that has begun here, for one after the search, and where
        the campaign has no number of what this one minimises or limits.
        """
        if self.library is None or entry.stage != SEARCH or entry.row["attempt"]:
            return None
        found = self.library.get(entry.key)
        return found if found is not None and self._can_judge(found) else None

    def _can_judge(self, found: Finished) -> bool:
        """Tell whether a trial has all that is minimised or limited here, which an earlier version may not have had."""
        wanted = {*self.space.objectives, *(limit.measure for limit in self.space.constraints)} & {*OBJECTIVES, *COSTS}
        return found.row["status"] != "completed" or all(cost_of(name, found.row) is not None for name in wanted)

    def take(self, entry: Entry, found: Finished) -> None:
        """End the trial as it ended there, at no cost, held to the limits of this campaign."""
        columns = found.columns(self.space.objective)
        self.ledger.reuse(entry.key, found, constraints.violation(self.space.constraints, columns))
        for milestone, value in entry.milestones.items():
            self.stopper.record(milestone, entry.key, value)
            self.proposals.reached(entry, milestone, value)
        tell_end(self.stopper, entry)
        self.proposals.ended(entry)
