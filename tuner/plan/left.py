"""The part of a campaign that a plan of its resume is about: whatever has not ended yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from results.store.campaign_folder import Store
from results.store.statuses import CONFIRM, ENDED, SEARCH
from tuner.question import Question


@dataclass(frozen=True)
class Left:
    """A question with the trials that are left of it, and how many runs of its confirmation are over."""

    question: Question
    ended: int = 0  # trials
    confirmed: int = 0  # runs of the confirmation; 0 while the search has trials left, which may bring other candidates


def left_of(question: Question, store: Store | None) -> Left:
    """All of a new campaign; of the one in ``store``, what its rows do not have."""
    if store is None:
        return Left(question)
    rows = [row for row in store.trials() if row["status"] in ENDED and row["config"] != "null"]  # null: never a trial
    searched = [row for row in rows if (row["stage"] or SEARCH) == SEARCH]
    if question.replay is not None:
        done = {(row["recorded_id"], row["seed"]) for row in searched}
        planned = tuple(p for p in question.planned if (p.recorded_id, p.config.seed) not in done)
        return Left(replace(question, planned=planned, trials=len(planned)), question.trials - len(planned))
    trials = max(0, question.trials - len(searched))
    confirmed = 0 if trials else sum(row["stage"] == CONFIRM for row in rows)
    return Left(replace(question, trials=trials), len(searched), confirmed)
