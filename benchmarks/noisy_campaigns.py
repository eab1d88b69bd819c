"""Simulated campaigns whose noise is not as a textbook has it: what ``benchmarks.confirm_power`` counts verdicts of.

A campaign is a random search of 24 trials over two switches. The first makes a config better by the effect, in SD of an
ordinary run; the second does nothing. The best three by their single runs and the base are judged on fresh seeds by the
product's own judge. A run's value is its config's mean, what its seed does to all configs alike (SD 1), and noise of
its own (SD 1).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt

from results.design import DEFAULT, Design
from results.statistics.confirmation import judge
from results.statistics.corrected import corrected
from results.statistics.judgement import EndedRun, Judgement

TRIALS = 24
PLATEAU = 30.0  # SDs above the others; nGPT's log has 36
EFFECTS = (0, 1, 2, 3)
FEW = 12  # runs an arm, by which a campaign on a plateau must find half of the effects
BEFORE = Design(3, 3, 9, own_noise=False)  # the rule and the seeds until 2026-11

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]


def _normal(draw: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return draw.normal(size=shape)


def _t3(draw: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return draw.standard_t(3, size=shape) / math.sqrt(3)


def _skewed(draw: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return draw.exponential(size=shape) - 1


@dataclass(frozen=True)
class Noise:
    """Noise of a simulated campaign: its form, and where it differs from config to config."""

    name: str
    draw: Draw = _normal
    of_base: float = 1.0  # SD
    of_winners: float = 1.0  # SD of all configs that have the effect
    by_halves: bool = False  # whether a seed does one thing to the configs of one setting of the second switch
    plateau: float = 0.0  # chance that a run stays on it


NOISES = (
    Noise("normal"),
    Noise("t with 3 degrees of freedom", _t3),
    Noise("skewed (exponential)", _skewed),
    Noise("the base x 3", of_base=3.0),
    Noise("the base / 3", of_base=1 / 3),
    Noise("the winner's kind x 3", of_winners=3.0),
    Noise("seed effects shared by halves", by_halves=True),
    Noise("plateau 5 %", plateau=0.05),
    Noise("plateau 20 %", plateau=0.2),
)


@dataclass(frozen=True)
class Tally:
    """Tally of the campaigns of one cell: shares of them, mean runs after the search, and mean errors in SD."""

    campaigns: int
    false: float  # a config that is no better than the base is established to be better
    found: float  # one that is better is
    runs: float
    printed: float  # difference of a found winner minus the true one, as printed (below zero flatters); nan without
    corrected: float


class _Runs(dict[tuple[str, int], EndedRun]):
    """Runs that note which of them were asked for: the judge looks at no others."""

    def __init__(self, runs: dict[tuple[str, int], EndedRun]) -> None:
        super().__init__(runs)
        self.trained = set[object]()

    def __contains__(self, key: object) -> bool:
        self.trained.add(key)
        return super().__contains__(key)


def tally(noise: Noise, effect: float, design: Design, campaigns: int) -> Tally:
    """Simulate the campaigns of one cell; the same ones for every design."""
    false, found, runs, errors = 0, 0, list[int](), list[tuple[float, float]]()
    for number in range(campaigns):
        judgement, means, trained = judged(noise, effect, design, number)
        runs.append(trained)
        winner = judgement.winner
        if winner is None:
            continue
        true = means[winner.arm]
        false, found = false + (true >= 0), found + (true < 0)
        if true < 0 and winner.difference is not None:
            better = corrected(design, winner) if design.own_noise else None
            errors.append((winner.difference - true, math.nan if better is None else better - true))
    mean = [fmean(column) for column in zip(*errors, strict=True)] if errors else [math.nan, math.nan]
    return Tally(campaigns, false / campaigns, found / campaigns, fmean(runs), *mean)


def judged(noise: Noise, effect: float, design: Design, number: int) -> tuple[Judgement, dict[str, float], int]:
    """Search and confirm once: the judgement, the true means by arm, and the runs after the search."""
    draw = np.random.default_rng((zlib.crc32(noise.name.encode()), int(10 * effect), number))
    has_effect = np.array([False, *(draw.random(TRIALS - 1) < 0.5)])  # the base is the first
    half = np.array([False, *(draw.random(TRIALS - 1) < 0.5)])
    means = np.where(has_effect, -effect, 0.0)
    searched = values(noise, draw, means, has_effect, half, 1)[1:, 0]
    chosen = [0, *(1 + np.argsort(searched, kind="stable")[: design.candidates])]
    fresh = values(noise, draw, means[chosen], has_effect[chosen], half[chosen], DEFAULT.final)
    arms = ["base", *map(str, range(design.candidates))]
    runs = _Runs(
        {(arm, seed): EndedRun(float(v)) for arm, row in zip(arms, fresh, strict=True) for seed, v in enumerate(row)}
    )
    judgement = judge(design, "base", arms[1:], range(design.final), runs)
    return judgement, dict(zip(arms, map(float, means[chosen]), strict=True)), len(runs.trained)


def values(noise: Noise, draw: np.random.Generator, means: Array, has_effect: Array, half: Array, seeds: int) -> Array:
    """Draw values by config, the base first, and seed."""
    shape = (len(means), seeds)
    sd = np.where(has_effect, noise.of_winners, 1.0)
    sd[0] = noise.of_base
    of_seed = draw.normal(size=(2, seeds))[half.astype(int) if noise.by_halves else np.zeros(len(means), dtype=int)]
    stays = draw.random(shape) < noise.plateau
    return means[:, None] + of_seed + sd[:, None] * noise.draw(draw, shape) + PLATEAU * stays


def lines(campaigns: int, noises: Sequence[Noise] = NOISES) -> Iterator[str]:
    """Yield the table, a line a noise, effect and design."""
    yield f"{'noise':<30} effect  {'design':<11} rule    false  found  runs  printed  corrected"
    few = Design(DEFAULT.candidates, DEFAULT.first, DEFAULT.last, FEW)
    for noise in noises:
        for effect in EFFECTS:
            for design in (BEFORE, DEFAULT, *([few] if noise.plateau else [])):
                got, rule = tally(noise, effect, design, campaigns), "own" if design.own_noise else "pooled"
                errors = "".join(f"{'' if math.isnan(e) else f'{e:+.2f}':>9}" for e in (got.printed, got.corrected))
                yield (
                    f"{noise.name:<30} {effect:>4}SD  {design!s:<11} {rule:<6} {got.false:>6.1%} {got.found:>6.1%} "
                    f"{got.runs:>5.1f}{errors}"
                )
