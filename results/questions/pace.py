"""Pace of a campaign by its own record: wall-clock seconds of its runs, set-up included, and how many ran at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.design import Design
from results.questions.time import time
from results.store.frames import Results
from results.store.statuses import ENDED, SEARCH


@dataclass(frozen=True)
class RecordedPace:
    """Mean seconds of a run: null where none has ended, as one that was interrupted has not.

    Waiting between runs is not part of it.
    """

    whole_seconds: float | None  # of a run that goes to its end: of those after the search, else of completed trials
    trial_seconds: float | None  # of a trial of the search, those that were stopped early included
    slots: int  # runs at a time

    def of_runs(self, runs: int) -> float | None:
        """Seconds of so many whole runs where each starts as soon as a slot is free."""
        return None if self.whole_seconds is None else runs * self.whole_seconds / self.slots

    def of_trials(self, trials: int) -> float | None:
        """Seconds of so many trials like those of the search."""
        return None if self.trial_seconds is None else trials * self.trial_seconds / self.slots

    def of_confirmation(self, design: Design) -> tuple[float, float] | None:
        """Seconds of a confirmation, at least and at most."""
        if self.whole_seconds is None:
            return None
        fewest, most = design.waves(self.slots)
        return fewest * self.whole_seconds, most * self.whole_seconds


def recorded_pace(results: Results) -> RecordedPace:
    """The pace of all runs that were started here and have ended."""
    runs = time(results)
    runs = runs[~runs["is_running"].astype(bool) & runs["seconds"].notna()]
    walls = results.rows.set_index("key")["wall_seconds"] if "wall_seconds" in results.rows else pd.Series(dtype=float)
    seconds = runs["key"].map(walls).astype("float64").fillna(runs["seconds"])  # of all attempts of a run
    searched, completed = runs["stage"] == SEARCH, runs["status"] == "completed"
    later = seconds[completed & ~searched]
    whole = later if len(later) else seconds[completed]
    # A trial that was interrupted half way took half its time: with it, all that are to come would be too short.
    trials = seconds[searched & runs["status"].isin(ENDED)]
    return RecordedPace(_mean(whole), _mean(trials), _at_a_time(runs))


def _mean(seconds: pd.Series) -> float | None:
    mean = float(seconds.mean()) if len(seconds) else math.nan
    return mean if mean > 0 else None


def _at_a_time(runs: pd.DataFrame) -> int:
    """The most runs that ran at one moment; at least 1."""
    starts, ends = (runs[name].to_numpy("datetime64[us]") for name in ("started_at", "ended_at"))
    changes = np.repeat([1, -1], len(runs))
    in_order = np.lexsort((changes, np.concatenate([starts, ends])))  # an end before a start at the same moment
    return max(1, int(np.cumsum(changes[in_order]).max(initial=0)))
