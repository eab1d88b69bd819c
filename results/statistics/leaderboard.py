"""Leaderboard and noise of a campaign's trials, as data frames and numbers; lower values are better.

The leaderboard's differences are between single runs: a reason to look closer, not a finding. For a finding there must
be replicates (:func:`pooled_noise`, or :func:`paired_noise` where they share their seeds), and the one rule is
:func:`verdict`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING

from results.statistics.pareto import front
from results.statistics.student_t import two_sided_quantile
from results.store.row_types import NEVER_A_TRIAL
from results.store.statuses import SEARCH, STATUSES

if TYPE_CHECKING:
    import pandas as pd

ESTABLISHED, NOT_ESTABLISHED, CONTRADICTS = "established", "not established", "contradicts"
STANDS_OUT = "stands out"  # of one run that a search picked, where more runs would be called established
_ORDERS = ["key", "status", "is_base", "value", "last_value", "rung"]  # columns by which a leaderboard is ordered
LONG_TEXTS = ("config", "overrides")  # columns that are most of a row
CONFIDENCE = 0.95  # of every verdict and interval


def leaderboard(trials: pd.DataFrame, second_objective: str | None = None, beyond: bool = False) -> pd.DataFrame:
    """The trials worth comparing, best first, with two more columns: ``rank`` and ``versus_base``.

    Completed trials come first, by value and with ranks from 1; then stopped ones, those that came furthest first and
    by last value within a rung; then the base, where it is neither. ``versus_base`` is a completed trial's value minus
    the base's (the mean, where several base trials completed), null without a completed base. Expects the trials of one
    campaign. Differences between single seeds are not findings. ``front`` says which trials lie on the Pareto front of
    the value and ``second_objective``; null in a campaign for one objective. Runs after the search are left out.
    ``beyond`` lists last the trials that break a limit: of a search in which none keeps them all, that is all there is.
    """
    import pandas as pd  # which the numbers below do without

    trials = searched(trials)
    trials = trials.assign(is_base=trials["is_base"].fillna(False).astype(bool))
    order = trials[_ORDERS]  # a copy of whole rows takes some ten megabytes of ten thousand trials
    completed = _completed(order)
    stopped = order[order["status"] == "stopped"]
    stopped = stopped.sort_values(["rung", "last_value", "key"], ascending=[False, True, True])
    listed = [*completed.index, *stopped.index]
    other_base = order[order["is_base"] & ~order.index.isin(listed)]
    # selected rather than concatenated: a column that is null in one of the parts keeps its type
    broke = begun(trials)[lambda rows: rows["status"] == "infeasible"].index if beyond else ()
    last = [place for place in broke if place not in other_base.index]
    board = trials.loc[[*listed, *other_base.index, *last]].reset_index(drop=True)
    ranks = [*range(1, len(completed) + 1), *[None] * (len(board) - len(completed))]
    board["rank"] = pd.Series(ranks, dtype="Int64")
    base = completed.loc[completed["is_base"], "value"].mean()  # NaN where no base completed
    board["versus_base"] = board["value"].where(board["rank"].notna()) - base
    board["front"] = pd.Series(pd.NA, index=board.index) if second_objective is None else front(board, second_objective)
    return board


def searched(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials of the search itself, without those that confirm what it found."""
    if "stage" not in trials:
        return trials
    of_search = trials["stage"].fillna(SEARCH) == SEARCH
    return trials if of_search.all() else trials[of_search]


def begun(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that count against a campaign's budget: without those whose values made no valid config."""
    never = (trials["status"] == "infeasible") & (trials["config"] == NEVER_A_TRIAL)
    return trials[~never] if never.any() else trials


def without_texts(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials without their long texts, for what does not look at them: most of the memory of a copy."""
    return trials.drop(columns=[name for name in LONG_TEXTS if name in trials])


def counts(trials: pd.DataFrame) -> dict[str, int]:
    """Count the trials of each status, in the order of ``STATUSES``, zeros included."""
    return {status: int((trials["status"] == status).sum()) for status in STATUSES}


@dataclass(frozen=True)
class Noise:
    """Noise between runs of one computation, which a difference between two computations has to exceed."""

    sd: float  # standard deviation of a single run, in the unit of its values
    degrees_of_freedom: int

    def smallest_difference(self, runs: int, other_runs: int, confidence: float = CONFIDENCE) -> float:
        """Return the least difference that is established between means of so many runs: a two-sided t test."""
        return math.hypot(self.half_width(runs, confidence), self.half_width(other_runs, confidence))

    def half_width(self, runs: int, confidence: float = CONFIDENCE) -> float:
        """Half of the interval that holds the true mean of that many runs with this confidence."""
        return two_sided_quantile(confidence, self.degrees_of_freedom) * self.sd / math.sqrt(runs)


def pooled_noise(groups: Iterable[Sequence[float]]) -> Noise | None:
    """The noise that all replicates show together, each group being runs of one computation; None without any.

    The spread is taken to be the same everywhere. Squares are summed around each group's own mean, so that the groups
    may have different means; a group of one adds nothing.
    """
    squares, degrees_of_freedom = 0.0, 0
    for values in groups:
        if len(values) > 1:
            mean = fmean(values)
            squares += sum((value - mean) ** 2 for value in values)
            degrees_of_freedom += len(values) - 1
    return Noise(math.sqrt(squares / degrees_of_freedom), degrees_of_freedom) if degrees_of_freedom else None


def paired_noise(groups: Iterable[Mapping[int, float]]) -> Noise | None:
    """The noise of a run beside what its seed does to every computation alike; None where nothing is left to tell it.

    Each group holds the runs of one computation by seed. What is left after a mean for each group and one for each
    seed are fitted (two-way layout without interaction, by least squares) is pooled over all groups: with m groups on n
    seeds (m - 1)(n - 1) degrees of freedom, against n - 1 of the differences of one pair of groups alone. The spread
    is taken to be the same everywhere.
    """
    runs = [(group, seed, value) for group, values in enumerate(groups) for seed, value in values.items()]
    if not runs:
        return None
    columns = [sorted({run[i] for run in runs}) for i in (0, 1)]
    import numpy as np

    design = np.array([[float(run[i] == level) for i in (0, 1) for level in columns[i]] for run in runs])
    values = np.array([run[2] for run in runs])
    solution, _, rank, _ = np.linalg.lstsq(design, values - values.mean())
    degrees_of_freedom = len(runs) - int(rank)
    if degrees_of_freedom == 0:
        return None
    residuals = values - values.mean() - design @ solution
    return Noise(math.sqrt(float(residuals @ residuals) / degrees_of_freedom), degrees_of_freedom)


def verdict(
    difference: float,
    noise: Noise | None,
    runs: int,
    other_runs: int,
    claim: float | None = None,
    confidence: float = CONFIDENCE,
) -> str:
    """Judge whether a difference between the means of ``runs`` and of ``other_runs`` runs is a finding.

    ``not established`` where noise alone may have made it, or is unknown; ``contradicts`` where it is established and
    its sign is opposite to that of ``claim``; else ``established``. A claim of 0 or None names no direction.
    ``confidence`` is that of this one comparison: above 95 % where it is one of several that are made.
    """
    if noise is None or not abs(difference) > noise.smallest_difference(runs, other_runs, confidence):
        return NOT_ESTABLISHED
    return CONTRADICTS if claim and (claim > 0) != (difference > 0) else ESTABLISHED


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation and the interval that holds it with 95 % confidence, by Fisher's z."""

    value: float
    low: float
    high: float
    pairs: int
    independent: int  # different trainings among the pairs, which the interval counts


def rank_correlation(first: pd.Series, second: pd.Series, independent: int) -> Correlation | None:
    """Spearman's correlation of two series of equal index without nulls; None where it is undefined or of under 4.

    Of ``independent`` trainings among them, by :func:`correlation`.
    """
    ranks, others = first.rank(), second.rank()
    if independent < 4 or ranks.nunique() < 2 or others.nunique() < 2:
        return None
    return correlation(float(ranks.corr(others)), len(first), independent)


def correlation(value: float, pairs: int, independent: int) -> Correlation:
    """A rank correlation with its interval: Fisher's z and the standard error of Bonett and Wright (2000).

    That is sqrt((1 + r^2 / 2) / (n - 3)), of at least 4 ``independent`` ones among the ``pairs``.
    """
    value = max(-1.0, min(1.0, value))  # rounding may leave 1.0000000000000002
    if abs(value) == 1.0:
        return Correlation(value, value, value, pairs, independent)
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt((1 + value**2 / 2) / (independent - 3))
    low, high = math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
    return Correlation(value, low, high, pairs, independent)


def _completed(trials: pd.DataFrame) -> pd.DataFrame:
    # by key within equal values, so that the order does not depend on how the files were read
    return trials[trials["status"] == "completed"].sort_values(["value", "key"])
