"""Rungs in a future of a campaign: the trials to come are judged by the campaign's own rule, beside those that were.

Of a trial to come it is not known how good it is. It is taken to be one more of those that came to the rung, the base
among them: its place between their values is as likely to be any as any other (a Polya urn: trials that were drawn
count for the next one). At later rungs the good places are likelier: who comes there is better than those before it,
since the sampler learns, while the first ones came there almost unjudged.
"""

from __future__ import annotations

import random
from bisect import insort
from collections.abc import Mapping, Sequence

from tuner.early_stopping import Stopper

OBJECTIVE = "objective"
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
    ) -> None:
        """``seen`` are the values of the trials that came to a rung: key -> rung -> value. ``base`` is a key."""
        self.draw, self.first = draw, min(rungs, default=0.0)
        self.rule = Stopper(stopper, OBJECTIVE, list(rungs), protected=frozenset([base]))
        self.values: dict[float, list[float]] = {rung: [] for rung in rungs}  # ascending
        every = -(-len(seen) // MOST_SEEN)
        for key, values in ((k, v) for n, (k, v) in enumerate(seen.items()) if n % every == 0 or k == base):
            for rung, value in values.items():
                self.rule.record(rung, key, value)
                if rung in self.values:
                    insort(self.values[rung], value)

    def ends(self, key: str, rung: float) -> bool:
        """Draw the value of a trial at a rung, and tell whether it is stopped there."""
        value = self._drawn(self.values[rung], 1.0 if rung == self.first else BETTER)
        insort(self.values[rung], value)
        return self.rule.ends(key, {OBJECTIVE: value, "milestone": rung})

    def _drawn(self, values: Sequence[float], better: float) -> float:
        """Draw a value beside others, or between them."""
        place = int(self.draw.random() ** better * (len(values) + 1))
        if 0 < place < len(values):
            return self.draw.uniform(values[place - 1], values[place])
        if not values:
            return 0.0
        between = (values[-1] - values[0]) / max(1, len(values) - 1) or 1.0
        beyond = self.draw.expovariate(1.0) * between
        return values[0] - beyond if place == 0 else values[-1] + beyond
