"""The looks of a confirmation as they may turn out: how many runs it takes depends on effects and noise nobody knows.

The rule is that of ``results/statistics/confirmation.py``, with the noise taken as known: a candidate goes on while it
is ahead of the base, not established, and no established one is ahead of it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from results.design import Design
from results.statistics.student_t import two_sided_quantile

BASE = -1  # the arm that candidates 0, 1, ... are compared with
Wanted = list[tuple[int, int]]  # arms, and the numbers of the seeds


@dataclass
class Looks:
    """One confirmation that may come. ``effects`` are the candidates' true differences to the base, drawn."""

    design: Design
    effects: Sequence[float]
    noise: float  # SD of a run
    level: float = 0.0  # of the base
    values: dict[tuple[int, int], float] = field(default_factory=dict)  # of runs that have ended
    looked: int = 0  # seeds of the last look that is over
    going: list[int] | None = None  # candidates without their last word; None: all of them
    winner: int | None = None

    def run(self, draw: random.Random) -> Iterator[Wanted]:
        """The runs that each look waits for; their values are drawn once they have been trained."""
        going = list(range(len(self.effects))) if self.going is None else list(self.going)
        for seeds in range(max(self.looked + 1, self.design.first), self.design.last + 1):
            if not going:
                return
            wanted = [(a, s) for s in range(seeds) for a in (BASE, *going) if (a, s) not in self.values]
            if wanted:
                yield wanted
            for arm, seed in wanted:
                true = self.level + (0.0 if arm == BASE else self.effects[arm])
                self.values[arm, seed] = draw.gauss(true, self.noise)
            going = self._left(going, seeds)

    def _left(self, going: list[int], seeds: int) -> list[int]:
        limit = _limit(self.design, seeds, len(self.effects)) * self.noise
        found = {arm: self._difference(arm, seeds) for arm in going}
        better = {arm: d for arm, d in found.items() if d < -limit}
        ahead = min(better.values(), default=math.inf)
        if better:
            self.winner = min(better, key=lambda arm: better[arm])
        return [arm for arm, d in found.items() if -limit <= d < 0 and not ahead < d]

    def _difference(self, arm: int, seeds: int) -> float:
        pairs = [
            self.values[arm, s] - self.values[BASE, s]
            for s in range(seeds)
            if (arm, s) in self.values and (BASE, s) in self.values
        ]
        return sum(pairs) / len(pairs) if pairs else math.inf  # it failed, and is out


@cache
def _limit(design: Design, seeds: int, candidates: int) -> float:
    """The difference, in SDs of a run, beyond which it is established at the look after so many seeds."""
    quantile = two_sided_quantile(design.confidence(seeds), max(1, candidates * (seeds - 1)))
    return quantile * math.sqrt(2 / seeds)
