"""Comparisons that a confirmation allows beside those with the base: its winner with the others, and their spreads.

All of it is of the same fresh seeds. The noise between candidates is that of the candidates alone, so that a base that
is noisier than they are spoils nothing of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, variance

from results.statistics.confirmation import Round
from results.statistics.f_test import two_sided_chance
from results.statistics.leaderboard import CONFIDENCE, paired_noise

SPREAD_LEVEL = 0.05  # up to which chance the base is said to vary otherwise than its candidates


@dataclass(frozen=True)
class Spread:
    """Standard deviations over the seeds, of the base and of its candidates together, and the chance of such a ratio.

    The chance is that of an F test, two-sided, where all vary alike. What a seed does to all of them alike brings the
    ratio nearer to 1: then it finds a difference more rarely than at its level, not more often.
    """

    base_sd: float
    candidates_sd: float
    seeds: int
    chance: float

    @property
    def differs(self) -> bool:
        """Tell whether they vary otherwise, by the test."""
        return self.chance <= SPREAD_LEVEL

    @property
    def base_is_noisier(self) -> bool:
        """Tell whether the base varies more."""
        return self.base_sd > self.candidates_sd


@dataclass(frozen=True)
class Lead:
    """The winner against another candidate on the same seeds: by how much it is ahead (lower), with the interval.

    The intervals of all pairs of candidates at all looks hold together in 95 % of the campaigns (Bonferroni), so that
    each holds whichever pair is picked afterwards, and wherever the confirmation stops.
    """

    arm: str  # the other one
    ahead: float
    half_width: float | None  # None where nothing tells the noise
    seeds: int

    @property
    def told_apart(self) -> bool:
        """Tell whether the interval leaves out zero."""
        return self.half_width is not None and self.ahead > self.half_width


def seed_spread(found: Round) -> Spread | None:
    """The base's spread beside its candidates'; None where fewer than two seeds tell them, or nothing varies."""
    seen = found.seeds[: found.judgement.seeds]
    base = _values(found, found.base, seen)
    sound = [_values(found, arm, seen) for arm in _sound(found)]
    seeds = [seed for seed in seen if seed in base and all(seed in values for values in sound)]
    if not sound or len(seeds) < 2:
        return None
    of_base = variance([base[seed] for seed in seeds])
    of_candidates = fmean(variance([values[seed] for seed in seeds]) for values in sound)
    if not of_base > 0 or not of_candidates > 0:
        return None
    chance = two_sided_chance(of_base / of_candidates, len(seeds) - 1, len(sound) * (len(seeds) - 1))
    return Spread(math.sqrt(of_base), math.sqrt(of_candidates), len(seeds), chance)


def leads(found: Round) -> list[Lead]:
    """The winner of a round against every other candidate, the nearest first; empty without a winner."""
    winner = found.judgement.winner
    if winner is None:
        return []
    seen = found.seeds[: found.judgement.seeds]
    its = _values(found, winner.arm, seen)
    sound = _sound(found)
    pairs = len(found.candidates) * (len(found.candidates) - 1) // 2
    confidence = 1 - (1 - CONFIDENCE) / max(1, pairs * len(found.design.looks))
    compared = []
    for arm in sound:
        other = _values(found, arm, seen)
        common = [seed for seed in seen if seed in its and seed in other]
        if arm == winner.arm or not common:
            continue
        noise = paired_noise(_values(found, one, seen[: len(common)]) for one in sound)  # of the look at so many seeds
        half = None if noise is None else noise.smallest_difference(len(common), len(common), confidence)
        compared.append(Lead(arm, fmean(other[seed] - its[seed] for seed in common), half, len(common)))
    return sorted(compared, key=lambda lead: lead.ahead)


def _sound(found: Round) -> list[str]:
    """Return the candidates that failed on no seed."""
    return [arm for arm, verdict in found.judgement.verdicts.items() if not verdict.reason]


def _values(found: Round, arm: str, seeds: tuple[int, ...]) -> dict[int, float]:
    """Return the values of a config by seed, of the runs that did not stay on a plateau."""
    known = {seed: found.runs[arm, seed].value for seed in seeds if (arm, seed) in found.runs}
    plateau = found.judgement.plateau
    above = math.inf if plateau is None or plateau.above is None else plateau.above
    return {seed: value for seed, value in known.items() if value is not None and value <= above}


def fresh_means(found: Round, arm: str) -> tuple[float, float] | None:
    """The means of a candidate and of the base on the fresh seeds that both completed; None without such a seed."""
    seen = found.seeds[: found.judgement.seeds]
    its, base = _values(found, arm, seen), _values(found, found.base, seen)
    both = [seed for seed in its if seed in base]
    return (fmean(its[seed] for seed in both), fmean(base[seed] for seed in both)) if both else None
