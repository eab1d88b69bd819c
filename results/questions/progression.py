"""The best so far against what it cost, beside what the same trials in a random order would have given."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from terminal.nearest import nearest

from results.questions.framed import COUNT, NUMBER, WORDS, YES_NO, framed, seconds_on_device
from results.questions.readable import Readable
from results.statistics.leaderboard import begun
from results.store.frames import Results
from results.store.statuses import ENDED

Floats = npt.NDArray[np.floating[Any]]
AXES = ("trials", "trainings", "tokens", "device_seconds")
BAND = (0.05, 0.95)  # quantiles of the random orders between which nine of ten lie
ORDERS = 1000  # drawn for what cannot be counted exactly: a quantile's standard error is then under 1 %
ENOUGH = 36  # the best of k of n is above the 36 n/k lowest in less than exp(-36) of the orders

_TYPES = {
    "trial": COUNT, "key": WORDS, "status": WORDS, "value": NUMBER, "best": NUMBER, "is_better": YES_NO,
    **dict.fromkeys(AXES, NUMBER), "random_mean": NUMBER, "random_low": NUMBER, "random_high": NUMBER,
    "random_known": NUMBER,
}  # fmt: skip


def progression(campaign: Readable, by: str = "trials") -> pd.DataFrame:
    """How fast did the best so far improve, beside the same trials in random order?

    A row a trial of the search that was trained and has ended, in the order in which they ended; of two objectives the
    first. A ValueError for an axis that does not exist.

    - ``trial`` (its number), ``key``, ``status``, ``value`` (unit of the objective; null unless completed)
    - ``best``: the lowest value so far (unit of the objective), ``is_better``: whether this trial lowered it
    - spent until then, this trial included: ``trials`` (count), ``trainings`` (whole budgets, so that a trial stopped
      half way is half a one), ``tokens`` (null where nobody counts them), ``device_seconds`` (training, evaluation and
      compiling over all attempts, without set-up). What a run never reported counts as 0
    - ``random_mean``: the mean best so far of all orders of the same trials after as much was spent, counted ``by``
      trials, trainings, tokens or device_seconds; ``random_low`` and ``random_high``: 90 % of the orders lie between
      them. All three are of those orders in which a trial has completed by then: ``random_known`` is their share

    By trials the random columns are exact; by anything else they are those of 1,000 orders from a fixed seed. The same
    trials in another order say what their order was worth: a search that learns has its best trials late and lies above
    the mean, one that began with them (a good warm start) lies below.
    """
    if by not in AXES:
        raise ValueError(f"by is {by!r}: {nearest(by, AXES, 'axes')}")
    return progression_at(campaign.read(), by)


def progression_at(results: Results, by: str, numbers: Container[int] | None = None) -> pd.DataFrame:
    """The rows of :func:`progression` of the trials with these ``numbers``; None stands for all."""
    trials = begun(results.trials)
    ended = trials[trials["status"].isin(ENDED)]
    ended = ended.sort_values(["ended_at", "number"], na_position="last", ignore_index=True)
    value = ended["value"].where(ended["status"] == "completed").astype(float)
    best = value.cummin().ffill()
    spent = _spent(ended)
    costs = spent[by].to_numpy(float)
    at = np.array([numbers is None or number in numbers for number in ended["number"]], dtype=bool)
    random = _exactly(value.to_numpy(), at) if by == "trials" else _drawn(value.to_numpy(), costs, at)
    found = pd.DataFrame(
        {
            "trial": ended["number"],
            "key": ended["key"],
            "status": ended["status"].astype(str),
            "value": value,
            "best": best,
            "is_better": value.notna() & (best != best.shift()),
            **{name: amounts.cumsum() for name, amounts in spent.items()},
        }
    )[at]
    found = found.assign(
        **dict(zip(("random_mean", "random_low", "random_high", "random_known"), random.T, strict=True))
    )
    return framed(found.to_dict("records"), _TYPES)


def _spent(ended: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the cost of each trial, on every axis."""
    whole = ended["spent"].fillna(0.0) + ended["extra_spent"].fillna(0.0)
    tokens = ended["tokens"].astype(float)
    return {
        "trials": pd.Series(1.0, index=ended.index),
        "trainings": (whole / ended["budget"]).fillna(0.0),
        "tokens": tokens if tokens.isna().all() else tokens.fillna(0.0),
        "device_seconds": seconds_on_device(ended),
    }


def _exactly(values: Floats, at: npt.NDArray[np.bool_]) -> Floats:
    """Mean, band and share of the orders with a value after 1, 2, ... trials, NaN being a trial without one: those
    ``at`` which it is asked for.

    The best of ``k`` of ``n`` trials is above the ``i`` lowest values in the share
    (n-k)/n * (n-k-1)/(n-1) * ... (i factors) of the orders.
    """
    trials, known = len(values), np.sort(values[~np.isnan(values)])
    asked = np.flatnonzero(at) + 1
    found = np.full((len(asked), 4), np.nan)
    for row, count in enumerate(asked.tolist()):
        most = min(len(known), int(ENOUGH * trials / count) + 1)
        left = np.arange(trials, trials - most, -1)
        above = np.cumprod(np.maximum(0.0, 1 - count / left))  # share in which the best is above the i lowest values
        found[row] = _summary(known[:most], -np.diff(above, prepend=1.0))
    return found


def _drawn(values: Floats, costs: Floats, at: npt.NDArray[np.bool_]) -> Floats:
    """Return the best so far after the sums of ``costs``, those ``at`` which it is asked for, from random orders. All
    NaN where a cost is.
    """
    places = np.cumsum(costs)[at] * (1 + 1e-12)
    found = np.full((len(places), 4), np.nan)
    if np.isnan(costs).any() or not len(places):
        return found
    draw = np.random.default_rng(0)
    best = np.empty((ORDERS, len(places)))
    known_or_worst = np.where(np.isnan(values), np.inf, values)
    for number in range(ORDERS):
        order = draw.permutation(len(values))
        so_far = np.minimum.accumulate(known_or_worst[order])
        done = np.searchsorted(np.cumsum(costs[order]), places, side="right")
        best[number] = np.where(done > 0, so_far[done - 1], np.inf)
    for place, of_orders in enumerate(best.T):
        known = np.sort(of_orders[np.isfinite(of_orders)])
        found[place] = _summary(known, np.full(len(known), 1 / ORDERS))
    return found


def _summary(values: Floats, shares: Floats) -> tuple[Any, ...]:
    """Mean and band of ascending values with these shares of all orders, and the sum of the shares."""
    known = float(shares.sum()) if len(shares) else 0.0
    if known <= 0.0:
        return np.nan, np.nan, np.nan, 0.0
    ladder = np.cumsum(shares) / known
    low, high = (values[min(int(np.searchsorted(ladder, q - 1e-12)), len(values) - 1)] for q in BAND)
    return float(values @ shares) / known, low, high, min(1.0, known)
