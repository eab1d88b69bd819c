"""Rungs in a future of a campaign: the trials to come are judged by the campaign's own rule, beside those that were.

Of a trial to come it is not known how good it is. It is taken to be one more of those that came to the rung, the base
among them: its place between their values is as likely to be any as any other (a Polya urn: trials that were drawn
count for the next one), and who was ahead before is likely to be ahead (``standing.py``). At later rungs the good
places are likelier: who comes there is better than those before it, since the sampler learns, while the first ones came
there almost unjudged.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from tuner.early_stopping import Stopper
from tuner.plan.standing import Standings

OBJECTIVE = "objective"
NORMAL = NormalDist()
# How much likelier good places are at later rungs: 65 % come into the better half. In 45 searches of 16 trials each on
# golf, nGPT and nanochat, as benchmarks/time_left.py plays them, with seeds that its table does not use (201 to 215),
# 51 % of 675 trials went on at the first rung, and 70 % of 343 at the second.
BETTER = 1.6
MOST_SEEN = 200  # trials at the rungs, of which more are an even sample: each future is judged beside them anew


class RungsToCome:
    """The values at the rungs in one future, and the rule that judges by them."""

    def __init__(
        self,
        stopper: str,
        rungs: Sequence[float],
        seen: Mapping[str, Mapping[float, float]],
        base: str,
        draw: random.Random,
        budget: float,
        ended: Mapping[str, float],
    ) -> None:
        """``seen`` are the values of the trials that came to a rung: key -> rung -> value. ``base`` is a key.

        ``budget`` is where trials end, in the unit of the rungs, and ``ended`` has the ends of finished trials by key.
        """
        self.draw, self.first, self.budget, self.standings = draw, min(rungs, default=0.0), budget, Standings(draw)
        self.rule = Stopper(stopper, OBJECTIVE, list(rungs), protected=frozenset([base]))
        self.values: dict[float, list[float]] = {rung: [] for rung in rungs}  # ascending
        self.ends_seen: list[float] = []  # ascending
        every, best = -(-len(seen) // MOST_SEEN), min(ended, key=ended.__getitem__, default=base)
        kept = {key: values for n, (key, values) in enumerate(seen.items()) if n % every == 0 or key in (base, best)}
        for key, values in kept.items():
            for rung, value in values.items():
                self.rule.record(rung, key, value)
                if rung in self.values:
                    insort(self.values[rung], value)
        for key in kept:
            if key in ended:
                self.rule.finished(key, ended[key])
                insort(self.ends_seen, ended[key])
        for key, values in kept.items():
            if key not in ended and (last := max((rung for rung in values if rung in self.values), default=None)):
                self.standings.place(key, last, self._standing(last, values[last]))

    def ends(self, key: str, rung: float) -> bool:
        """Draw the value of a trial at a rung, and tell whether it is stopped there."""
        value = self._drawn(key, rung, self.values[rung], 1.0 if rung == self.first else BETTER)
        insort(self.values[rung], value)
        return self.rule.ends(key, {OBJECTIVE: value, "milestone": rung})

    def finished(self, key: str) -> None:
        """Draw the end of a trial that runs to it, by which those after it are judged."""
        value = self._drawn(key, self.budget, self.ends_seen, 1.0)
        insort(self.ends_seen, value)
        self.rule.finished(key, value)

    def _standing(self, rung: float, value: float) -> float:
        """The standing of a value among those at its rung."""
        values = self.values[rung]
        return NORMAL.inv_cdf((bisect_left(values, value) + 0.5) / (len(values) + 1))

    def _drawn(self, key: str, spent: float, values: Sequence[float], better: float) -> float:
        """Draw a value beside others, or between them."""
        place = int(NORMAL.cdf(self.standings.next(key, spent)) ** better * (len(values) + 1))
        place = min(place, len(values))  # a probability may round to 1
        if 0 < place < len(values):
            return self.draw.uniform(values[place - 1], values[place])
        if not values:
            return 0.0
        between = (values[-1] - values[0]) / max(1, len(values) - 1) or 1.0
        beyond = self.draw.expovariate(1.0) * between
        return values[0] - beyond if place == 0 else values[-1] + beyond
