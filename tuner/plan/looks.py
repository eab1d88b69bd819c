"""The looks of a confirmation as they may turn out: how many runs it takes depends on effects and noise nobody knows.

The values of runs to come are drawn; what a look makes of them, the rule of the confirmation itself says.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from results.design import Design
from results.statistics.confirmation import judge
from results.statistics.judgement import EndedRun

BASE = -1  # the arm that candidates 0, 1, ... are compared with
Wanted = list[tuple[int, int]]  # arms, and the numbers of the seeds


@dataclass
class Looks:
    """One confirmation that may come. ``effects`` are the candidates' true differences to the base, drawn."""

    design: Design
    effects: Sequence[float]
    noise: float  # SD of a run
    level: float = 0.0  # of the base
    runs: dict[tuple[int, int], EndedRun] = field(default_factory=dict)  # that have ended, by arm and seed
    winner: int | None = None

    def run(self, draw: random.Random) -> Iterator[Wanted]:
        """The runs that each look waits for; their values are drawn once they have been trained."""
        arms = [str(arm) for arm in range(len(self.effects))]
        while True:
            known = {(str(arm), seed): run for (arm, seed), run in self.runs.items()}
            found = judge(self.design, str(BASE), arms, range(self.design.final), known)
            self.winner = None if found.winner is None else int(found.winner.arm)
            if not found.wanted:
                return
            wanted = [(int(arm), seed) for arm, seed in found.wanted]
            yield wanted
            for arm, seed in wanted:
                true = self.level + (0.0 if arm == BASE else self.effects[arm])
                self.runs[arm, seed] = EndedRun(draw.gauss(true, self.noise))
