"""Confidence of each of several looks, such that all of them together are wrong in 5 % of the cases at most.

A confirmation compares several candidates with one base, and looks again after every further seed. Each comparison is
a chance to be fooled. The remedy is the one of group-sequential trials (Pocock 1977; O'Brien and Fleming 1979) with
many arms (Dunnett 1955): a stricter level for every look, chosen so that under the null hypothesis the largest of all
statistics crosses in 5 % of the campaigns. The level grows in proportion to the seeds seen, between Pocock's (constant)
and O'Brien and Fleming's (next to nothing at first): a large effect still ends it at the first look, and little is lost
at the last one. It is found by simulating the null campaign itself, from a fixed seed: shared base, pooled spread and
few degrees of freedom are then all in it, which no table has.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from results.statistics.leaderboard import CONFIDENCE
from results.statistics.student_t import two_sided_quantile

CAMPAIGNS = 40_000  # simulated: the error rate of 5 % is then met within 0.1 % (one standard error)
CHUNK = 2_000
HALVINGS = 25


def confidence_at(seeds: int, candidates: int, first: int, last: int) -> float:
    """The confidence of each comparison at the look after ``seeds`` of ``last`` seeds, the first look being at
    ``first``.
    """
    assert first <= seeds <= last, (first, seeds, last)
    return 1.0 - final_level(candidates, first, last) * seeds / last


@cache
def final_level(candidates: int, first: int, last: int) -> float:
    """The two-sided level of each comparison at the last look; that at an earlier look is its share of the seeds."""
    looks = range(first, last + 1)
    largest = _largest_statistics(candidates, first, last)  # (campaigns, looks)
    low, high = 0.0, 1.0 - CONFIDENCE
    for _ in range(HALVINGS):
        level = (low + high) / 2
        limits = [two_sided_quantile(1 - level * n / last, candidates * (n - 1)) for n in looks]
        crossed = float((largest > np.array(limits)).any(axis=1).mean())
        low, high = (low, level) if crossed > 1 - CONFIDENCE else (level, high)
    return low


def _largest_statistics(candidates: int, first: int, last: int) -> npt.NDArray[np.float64]:
    """The largest |t| of all candidates at each look, of campaigns in which nothing has an effect."""
    draw, found = np.random.default_rng(0), []
    for _ in range(CAMPAIGNS // CHUNK):
        values = draw.normal(size=(CHUNK, candidates + 1, last))  # (campaign, arm, seed); arm 0 is the base
        values -= values.mean(axis=1, keepdims=True)  # what a seed does to all arms alike is gone
        sums, squares = values.cumsum(axis=2), np.square(values).sum(axis=1).cumsum(axis=1)
        at_looks = []
        for n in range(first, last + 1):
            means = sums[:, :, n - 1] / n
            variance = (squares[:, n - 1] - n * np.square(means).sum(axis=1)) / (candidates * (n - 1))
            largest = np.abs(means[:, 1:] - means[:, :1]).max(axis=1)
            at_looks.append(largest / np.sqrt(variance * 2 / n))
        found.append(np.stack(at_looks, axis=1))
    return np.concatenate(found)
