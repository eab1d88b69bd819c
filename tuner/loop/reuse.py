"""Trials that need no training here: an earlier campaign has finished the same ones."""

from __future__ import annotations

from results.store.row_types import TrialRow
from results.store.statuses import SEARCH
from search_spaces.space import Space
from trainable.config import TrainConfig
from trainable.evaluation.artifact import beyond_limit
from tuner.campaign.entry import Entry
from tuner.campaign.finished import Finished
from tuner.campaign.trials import Ledger
from tuner.early_stopping import Stopper
from tuner.loop.endings import Ending, ending, tell_end
from tuner.loop.proposals import Proposals
from tuner.proposals.reuse import Library, lacking


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
        return found if found is not None and not lacking(self.space, found.row) else None

    def take(self, entry: Entry, found: Finished) -> None:
        """End the trial as it ended there, at no cost, judged by the objective and the limits of this campaign."""
        end = self._end(entry, found.columns(self.space.objective))
        self.ledger.reuse(entry.key, found, end.status, end.reason)
        for milestone, value in entry.milestones.items():
            self.stopper.record(milestone, entry.key, value)
            self.proposals.reached(entry, milestone, value)
        tell_end(self.stopper, entry)
        self.proposals.ended(entry)

    def _end(self, entry: Entry, columns: TrialRow) -> Ending:
        """The end of what was trained to its end; what ended on the way has ended so here too."""
        if columns["status"] != "completed":
            return Ending(columns["status"], columns["reason"] or "")
        config, size = entry.config, columns["artifact_bytes"]
        own = config.artifact if isinstance(config, TrainConfig) else None
        violation = "" if own is None or size is None else beyond_limit(own, size)
        return ending(columns, {"status": "completed", "violation": violation}, None, self.space)
