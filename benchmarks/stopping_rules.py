"""Rules of early stopping that benchmarks.stopping plays: the tuner's own ones, and Optuna's Wilcoxon pruner.

ASHA's three forms are Ray's and Optuna's usual reductions (4 and 3), and that of the tuner (2), at the same rungs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from benchmarks.stopping_pools import PARTS, RUNGS
from tuner.early_stopping import Stopper

OBJECTIVE = "val_loss"


class Rule(Protocol):
    """A rule under test. A trial's values come in ascending parts."""

    parts: tuple[int, ...]  # at which it wants to hear of a trial

    def stops(self, key: str, part: int, curve: np.ndarray) -> bool:
        """Tell whether a trial ends here, whose curve has come to ``part``."""

    def finished(self, key: str, curve: np.ndarray) -> None:
        """Hear of a trial that ran to its end."""


class OurOwn:
    """One of the tuner's rules."""

    parts = RUNGS

    def __init__(self, name: str, reduction: int = 2) -> None:
        self.stopper = Stopper(name, OBJECTIVE, [float(part) for part in RUNGS], reduction)

    def stops(self, key: str, part: int, curve: np.ndarray) -> bool:
        return self.stopper.ends(key, {OBJECTIVE: float(curve[part - 1]), "milestone": float(part)})

    def finished(self, key: str, curve: np.ndarray) -> None:
        self.stopper.finished(key, float(curve[-1]))


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
    "predictive": lambda: OurOwn("predictive"),
    "ASHA, half": lambda: OurOwn("asha", 2),
    "ASHA, third": lambda: OurOwn("asha", 3),
    "ASHA, quarter": lambda: OurOwn("asha", 4),
    "Hyperband": lambda: OurOwn("hyperband"),
    "median": lambda: OurOwn("median"),
    "Wilcoxon": Wilcoxon,
    "none": lambda: OurOwn("none"),
}
