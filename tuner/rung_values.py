"""Values of trials at a rung, kept in order, so that no decision there sorts them or goes through all of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence


class RungValues(dict[str, float]):
    """Finite values of trials at one rung, by key. They are set one by one, and taken out by :meth:`forget`."""

    def __init__(self) -> None:
        super().__init__()
        self.ascending: list[float] = []

    def __setitem__(self, key: str, value: float) -> None:
        self.forget(key)
        super().__setitem__(key, value)
        insort(self.ascending, value)

    def forget(self, key: str) -> None:
        """Take out a trial's value, if it has one here."""
        if key in self:
            del self.ascending[bisect_left(self.ascending, self[key])]
            del self[key]


def best_part(ascending: Sequence[float], reduction: int) -> float:
    """The point that one in ``reduction`` of the values lie below, linear between neighbours.

    To the last bit what ``numpy.percentile`` makes of the negated values, as Ray takes it, so that ties are decided
    alike.
    """
    last = len(ascending) - 1
    place = last * ((1 - 1 / reduction) * 100 / 100)
    low = int(place)
    over, under, part = ascending[last - low], ascending[max(last - low - 1, 0)], place - low
    return over - (over - under) * part if part < 0.5 else under + (over - under) * (1 - part)
