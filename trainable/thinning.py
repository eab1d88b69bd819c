"""Thinning: which of a series of points are kept, however long it becomes. Decided by the points' order alone."""

from __future__ import annotations

POINTS_OF_A_CURVE = 500  # even: after a doubling the next point is one that is kept


class Thinning:
    """Every (first * 2^k)-th point from the first, with k as small as leaves at most ``most``, an even number."""

    def __init__(self, seen: int = 0, stride: int = 1, most: int | None = None) -> None:
        self.seen, self.stride = seen, stride
        self.most = POINTS_OF_A_CURVE if most is None else most

    @property
    def kept(self) -> int:
        """Count the points seen so far that are kept."""
        return -(-self.seen // self.stride)

    @property
    def keeps_next(self) -> bool:
        return self.seen % self.stride == 0

    @property
    def is_full(self) -> bool:
        """Tell whether as many are kept as may be: the next one that is kept doubles the stride."""
        return self.kept >= self.most

    def makes_room(self) -> bool:
        """Double the stride where as many are kept as may be: every second of them then goes. To be asked before a
        point that is kept is put in its place.
        """
        if not self.is_full:
            return False
        self.stride *= 2
        return True
