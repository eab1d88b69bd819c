"""The part of a large campaign that its page shows: a browser draws some hundred trials well, and thousands slowly.

What is told in words and numbers, and each rank, is of all trials all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from storage.location import Location
from terminal.counted import counted

from results.statistics.leaderboard import searched
from results.store.frames import Results
from results.store.resume_command import from_anywhere
from results.store.statuses import ENDED, SEARCH
from results.tally import tally_of

MOST_TRIALS = 1_000  # of the search
BEST = 250  # of them: the lowest values
REASONS = 100  # of which a first trial is shown
_NUMBER = re.compile(r"[0-9][0-9.e+-]*")


@dataclass(frozen=True)
class ShownPart:
    """Rows that are shown of a campaign: all runs after the search, and so many trials of it."""

    results: Results  # with the rows and reports of these alone
    trials: int  # of the search, on the page
    of: int  # that there are
    proposals: int = 0  # among the latter, that were never trained

    def said(self, folder: Location) -> str:
        """Say which trials are shown; empty where all are."""
        if self.trials == self.of:
            return ""
        return (
            f"This page shows {self.trials:,} of {self._all}: the base, the {BEST} lowest values, "
            "whatever lowered the best so far or was confirmed, one trial of each reason to fail, those that run, and "
            "of the others some, evenly over their order. The verdict, ranks, importance and what comes next are of "
            f"all. Every row is in {from_anywhere(folder)}/trials, for pandas.read_parquet; as text: python -m "
            "results.report ... --csv FOLDER."
        )

    @property
    def in_short(self) -> str:
        """Say in a picture that not all are drawn; empty where all are."""
        return "" if self.trials == self.of else f"Of {self._all} {self.trials:,} are drawn."

    @property
    def _all(self) -> str:
        if not self.proposals:
            return counted(self.of, "trial")
        return f"{counted(self.of - self.proposals, 'trial')} and {counted(self.proposals, 'proposal')}"


def shown_part(results: Results) -> ShownPart:
    """The part of a campaign for its page; all of one with few trials."""
    rows = results.rows
    is_trial = (rows["stage"].fillna(SEARCH) == SEARCH).to_numpy() if "stage" in rows else np.ones(len(rows), bool)
    if (count := int(is_trial.sum())) <= MOST_TRIALS:
        return ShownPart(results, count, count)
    chosen = ~is_trial
    for places in (_always(rows), _best(rows), _improving(rows), _first_of_each_reason(rows)):
        chosen[places] = True
    left = np.flatnonzero(~chosen)
    room = MOST_TRIALS - int((chosen & is_trial).sum())
    if room > 0:
        chosen[left[np.arange(room) * len(left) // room]] = True
    kept = rows[chosen].reset_index(drop=True)
    reports = results.reports[results.reports["key"].isin(set(kept["key"]))].reset_index(drop=True)
    shown = replace(results, rows=kept, reports=reports, worked_out={})
    return ShownPart(shown, int((chosen & is_trial).sum()), count, tally_of(rows[is_trial]).proposals)


def _always(rows: pd.DataFrame) -> Any:
    """Bases, and the trials that were confirmed."""
    confirmed = set(rows["arm"].dropna()) if "arm" in rows else set[str]()
    return np.flatnonzero(rows["is_base"].fillna(False).astype(bool) | rows["key"].isin(confirmed))


def _best(rows: pd.DataFrame) -> Any:
    trials = searched(rows)
    return trials[trials["status"] == "completed"].sort_values(["value", "key"]).index[:BEST]


def _improving(rows: pd.DataFrame) -> Any:
    """Trials that lowered the best so far, as they ended; and those that have not ended."""
    trials = searched(rows)
    ended = trials[trials["status"].isin(ENDED)].sort_values(["ended_at", "number"], na_position="last")
    values = ended["value"].where(ended["status"] == "completed").astype(float)
    lowered = values.index[values.notna() & (values < values.cummin().ffill().shift().fillna(np.inf))]
    return [*lowered, *trials.index[~trials["status"].isin(ENDED)][:REASONS]]


def _first_of_each_reason(rows: pd.DataFrame) -> Any:
    trials = searched(rows)
    failed = trials[trials["reason"].notna() & ~trials["status"].isin(["completed", "stopped"])]
    alike = [
        f"{status}: {_NUMBER.sub('#', why)}" for status, why in zip(failed["status"], failed["reason"], strict=True)
    ]
    return pd.Series(alike, index=failed.index, dtype=object).drop_duplicates().index[:REASONS]
