"""The winner's difference without the luck of having been chosen.

The best of several candidates is lucky, and so is the look at which it was established: the mean that is printed
flatters it. The correction is the bias-adjusted mean of group-sequential trials (Whitehead 1986): the true difference
under which the same confirmation prints this one on average. That is found by simulating the design once, with
candidates that are all equally good, in units of the noise of a difference.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from results.design import Design
from results.statistics.judgement import Verdict
from results.statistics.studentized import levels, one_sided_quantile, studentized

CAMPAIGNS = 2_000
TRUE = np.linspace(0.0, 8.0, 33)  # differences in SDs of a difference on one seed; beyond them the luck stays the same

Array = npt.NDArray[np.float64]


def corrected(design: Design, winner: Verdict) -> float | None:
    """Return the difference that is to be expected again; None where it was not judged by its own noise."""
    if winner.difference is None or not winner.sd or winner.difference >= 0:
        return None
    printed, seen = _printed(design.candidates, design.looks, design.last), -winner.difference / winner.sd
    beyond = max(0.0, seen - float(printed[-1]))
    return -winner.sd * (float(np.interp(seen, printed, TRUE)) + beyond)


@cache
def _printed(candidates: int, looks: tuple[int, ...], last: int) -> Array:
    """Return the mean difference that is printed of the best candidate, by the true one of all of them."""
    values = np.random.default_rng(0).normal(size=(CAMPAIGNS, candidates + 1, looks[-1])) / np.sqrt(2)
    means = np.stack([(values[:, :1, :n] - values[:, 1:, :n]).mean(axis=2) for n in looks], axis=1)
    errors = means / studentized(values, looks)  # standard errors, which an effect leaves alone
    found = [_means_at_the_end(means + true, errors, candidates, looks, last).mean() for true in TRUE]
    return np.maximum.accumulate(np.array(found))


def _means_at_the_end(means: Array, errors: Array, candidates: int, looks: tuple[int, ...], last: int) -> Array:
    """Play the rule of ``own_noise_rule.py``: the mean by which the best one is ahead of the base when it stops."""
    at, rows = levels(candidates, looks), np.arange(len(means))
    going = np.ones((len(means), candidates), dtype=bool)
    ended, won = np.full(going.shape, -np.inf), np.full(going.shape, -np.inf)
    for place, seeds in enumerate(looks):
        mean, t = means[:, place], means[:, place] / errors[:, place]
        ended = np.where(going, mean, ended)
        above, below, least = (
            one_sided_quantile(level, seeds - 1) for level in (1 - at[seeds].better, at[seeds].worse, at[seeds].going)
        )
        won = np.where(going & (t > above), mean, won)
        going &= (t <= above) & (t >= below) & (t >= least) & ~(won.max(axis=1)[:, None] > mean)
        if seeds >= last:
            best = np.where(going, mean, -np.inf).argmax(axis=1)
            alone = np.zeros_like(going)
            alone[rows, best] = going[rows, best]
            going = alone
    established = won.max(axis=1)
    found: Array = np.where(np.isfinite(established), established, ended.max(axis=1))
    return found
