"""What a campaign's trials say, as data frames and numbers; lower values are better.

Every difference here is between single runs. How much of it is the noise of the seed is unknown until replicates have
been run: a difference in this module is a reason to look closer, not a finding, and nothing here gives a verdict.
"""

from __future__ import annotations

import pandas as pd

from results.schema import STATUSES


def leaderboard(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials worth comparing, best first, with two more columns: ``rank`` and ``versus_base``.

    Completed trials come first, by value and with ranks from 1; then stopped ones, those that came furthest first and
    by last value within a rung; then the base, where it is neither. ``versus_base`` is a completed trial's value minus
    the base's (the mean, where several base trials completed), null without a completed base. Expects the trials of one
    campaign. Differences between single seeds are not findings.
    """
    trials = trials.assign(is_base=trials["is_base"].fillna(False).astype(bool))
    completed = _completed(trials)
    stopped = trials[trials["status"] == "stopped"]
    stopped = stopped.sort_values(["rung", "last_value", "key"], ascending=[False, True, True])
    listed = [*completed.index, *stopped.index]
    other_base = trials[trials["is_base"] & ~trials.index.isin(listed)]
    # selected rather than concatenated: a column that is null in one of the parts keeps its type
    board = trials.loc[[*listed, *other_base.index]].reset_index(drop=True)
    ranks = [*range(1, len(completed) + 1), *[None] * (len(board) - len(completed))]
    board["rank"] = pd.Series(ranks, dtype="Int64")
    base = completed.loc[completed["is_base"], "value"].mean()  # NaN where no base completed
    board["versus_base"] = board["value"].where(board["rank"].notna()) - base
    return board


def best(trials: pd.DataFrame) -> pd.Series | None:
    """The completed trial with the lowest value, the base included; None while none has completed."""
    completed = _completed(trials)
    return completed.iloc[0] if len(completed) else None


def counts(trials: pd.DataFrame) -> dict[str, int]:
    """How many trials have each status, in the order of ``STATUSES``, zeros included."""
    return {status: int((trials["status"] == status).sum()) for status in STATUSES}


def compute_share(trials: pd.DataFrame, wall_seconds: float, slots: int) -> float:
    """Share of the campaign in which trials trained: sum of train seconds / (wall seconds x slots)."""
    if not wall_seconds > 0:
        raise ValueError(f"wall_seconds is {wall_seconds!r} but must be above 0")
    if slots < 1:
        raise ValueError(f"slots is {slots!r} but must be at least 1")
    return float(trials["train_seconds"].sum()) / (wall_seconds * slots)


def _completed(trials: pd.DataFrame) -> pd.DataFrame:
    # by key within equal values, so that the order does not depend on how the files were read
    return trials[trials["status"] == "completed"].sort_values(["value", "key"])
