"""Rules of early stopping that benchmarks.stopping plays: the tuner's own ones, with promotion and without (``for
good``), one by a curve's shape, and Optuna's Wilcoxon pruner.

ASHA's three forms are Ray's and Optuna's usual reductions (4 and 3), and that of the tuner (2), at the same rungs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from benchmarks.stopping_pools import PARTS, RUNGS
from results.statistics.predictive_termination import AS_FAR, FEWEST_FINISHED, least_chance
from results.statistics.student_t import lower_tail
from tuner.early_stopping import Predictive, Promise, Stop, Stopper
from tuner.spec import MOST_PAUSED

OBJECTIVE = "val_loss"


class Rule(Protocol):
    """A rule under test. A trial's values come in ascending parts."""

    parts: tuple[int, ...]  # at which it wants to hear of a trial

    def stops(self, key: str, part: int, curve: np.ndarray) -> bool:
        """Tell whether a trial ends here, whose curve has come to ``part``."""

    def finished(self, key: str, curve: np.ndarray) -> None:
        """Hear of a trial that ran to its end."""

    def promoted(self) -> tuple[str, int] | None:
        """A trial that it has stopped and that is to go on, and the part that this had come to; None where none is."""


class OurOwn:
    """One of the tuner's rules; with ``promote`` what predictive termination has stopped may go on again."""

    parts = RUNGS

    def __init__(self, name: str, reduction: int = 2, promote: bool = False) -> None:
        self.stopper = Stopper(name, OBJECTIVE, [float(part) for part in RUNGS], reduction)
        self.promote, self.paused = promote, dict[str, int]()  # key -> part

    def stops(self, key: str, part: int, curve: np.ndarray) -> bool:
        stops = self.stopper.ends(key, {OBJECTIVE: float(curve[part - 1]), "milestone": float(part)})
        if stops and self.promote:
            self.paused[key] = part
            self._prune()
        return stops

    def finished(self, key: str, curve: np.ndarray) -> None:
        self.stopper.finished(key, float(curve[-1]))
        self._prune()

    def promoted(self) -> tuple[str, int] | None:
        found = [(promise.against_a_new_one, key) for key, promise in self._promises().items() if promise.is_enough]
        if not found:
            return None
        key = max(found)[1]
        return key, self.paused.pop(key)

    def _promises(self) -> dict[str, Promise]:
        """The promise of each stopped trial now, where anything is known."""
        judged = {key: self.stopper.promise(key, float(part)) for key, part in self.paused.items()}
        return {key: promise for key, promise in judged.items() if promise is not None}

    def _prune(self) -> None:
        """Keep as many as the tuner does (tuner/loop/promotion.py)."""
        if len(self.paused) > MOST_PAUSED:
            promises = self._promises()
            least = min(self.paused, key=lambda key: promises[key].against_a_new_one if key in promises else -1.0)
            del self.paused[least]


class Shaped(Predictive):
    """Predictive termination by two numbers: the value at the rung, and how far it fell since half of the way there."""

    fewest = FEWEST_FINISHED + 1  # as many degrees of freedom

    def __init__(self, milestones: list[float]) -> None:
        super().__init__(milestones)
        self.falls: dict[tuple[str, float], float] = {}

    def chance_of(self, key: str, rung: float) -> float | None:
        """The probability that the trial ends below the best, by least squares; None where too little is known."""
        keys = [other for other in self.ends if other in self.values[rung]]
        best = min(self.beaten.values(), default=None)
        if len(keys) < self.fewest or best is None:
            return None
        columns = [[self.values[rung][each], self.falls[each, rung]] for each in (*keys, key)]
        known, ends = np.array(columns), np.array([self.ends[other] for other in keys])
        for place, numbers in enumerate(known[:-1].T):  # those that are far off count as no further
            far = AS_FAR * float(np.ptp(np.quantile(numbers, [0, 0.5]))) + float(np.median(numbers))
            known[:, place] = np.minimum(known[:, place], far)
        ends = np.minimum(ends, np.median(ends) + AS_FAR * (np.median(ends) - ends.min()))
        spread = known[:-1].std(axis=0)
        if not (spread[0] > 0 and ends.std() > 0):
            return None
        scaled = (known - known[:-1].mean(axis=0)) / np.where(spread > 0, spread, 1)
        seen, here = scaled[:-1], np.clip(scaled[-1], -3, 3)
        inverse = np.linalg.inv(seen.T @ seen + 1e-9 * np.eye(2))
        slopes = inverse @ seen.T @ (ends - ends.mean())
        if slopes[0] <= 0:
            return 1.0
        left, free = ends - ends.mean() - seen @ slopes, len(keys) - 3
        sd = math.sqrt(max(float(left @ left), 1e-12 * float(ends.var())) / free)
        deviation = sd * math.sqrt(1 + 1 / len(keys) + float(here @ inverse @ here))
        return lower_tail((best - float(ends.mean()) - float(here @ slopes)) / deviation, free)

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        self.record(key, rung, value)
        chance = self.chance_of(key, rung)
        if chance is None or chance >= least_chance(len(self.values[rung]), self.part):
            return None
        return Stop(rung, value, value)


class ByShape(OurOwn):
    """Predictive termination that sees more of a curve than its value at the rung."""

    def __init__(self) -> None:
        super().__init__("predictive")
        self.rule = Shaped(self.stopper.milestones)
        self.stopper.rule = self.rule

    def stops(self, key: str, part: int, curve: np.ndarray) -> bool:
        self.rule.falls[key, float(part)] = float(curve[part // 2 - 1] - curve[part - 1])
        return super().stops(key, part, curve)


class Wilcoxon:
    """Optuna's WilcoxonPruner at its defaults, its steps being the sixteenths of the budget from the first rung on.

    It ends a trial where the signed-rank test of its values so far against those of the best finished trial at the same
    steps says that they are worse (p < .1), unless their mean is better. It is made for steps that are problems of
    their own; on learning curves it is what its users also take it for.
    """

    parts = tuple(range(RUNGS[0], PARTS))

    def __init__(self) -> None:
        self.best: np.ndarray | None = None

    def stops(self, key: str, part: int, curve: np.ndarray) -> bool:
        if self.best is None:
            return False
        worse = curve[:part] - self.best[:part]
        return float(worse.mean()) > 0 and signed_rank(worse) < 0.1

    def finished(self, key: str, curve: np.ndarray) -> None:
        if self.best is None or curve[-1] < self.best[-1]:
            self.best = curve

    def promoted(self) -> None:
        """Let nothing go on: it stops for good."""


def signed_rank(differences: np.ndarray) -> float:
    """The exact p-value of Wilcoxon's signed-rank test that differences without ties or zeros are positive."""
    ranks = 1 + np.argsort(np.argsort(np.abs(differences)))
    total = int(ranks[differences > 0].sum())
    ways = np.zeros(len(ranks) * (len(ranks) + 1) // 2 + 1)  # of signs, by the sum of the positive ranks
    ways[0] = 1
    for rank in range(1, len(ranks) + 1):
        ways[rank:] += ways[:-rank].copy()
    return float(ways[total:].sum() / 2.0 ** len(ranks))


RULES: Mapping[str, Callable[[], Rule]] = {
    "predictive": lambda: OurOwn("predictive", promote=True),
    "for good": lambda: OurOwn("predictive"),
    "ASHA, half": lambda: OurOwn("asha", 2),
    "ASHA, third": lambda: OurOwn("asha", 3),
    "ASHA, quarter": lambda: OurOwn("asha", 4),
    "Hyperband": lambda: OurOwn("hyperband"),
    "median": lambda: OurOwn("median"),
    "Wilcoxon": Wilcoxon,
    "none": lambda: OurOwn("none"),
}
TRIED: Mapping[str, Callable[[], Rule]] = {"by shape": ByShape}  # what is not built
