"""Values at rows of coordinates, as one model is made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tuner.proposals.model.trend import Trend


@dataclass(frozen=True)
class ModelData:
    """Values at rows of coordinates, their own noise, and the mean far away from all, with a trend or without."""

    rows: np.ndarray
    values: np.ndarray
    extra: np.ndarray | None = None
    mean: float = 0.0
    trend: Trend | None = None

    def subset(self, most: int) -> ModelData:
        """At most so many: the lowest half of them, and the others evenly over the rest in its order."""
        if len(self.values) <= most:
            return self
        order = np.argsort(self.values, kind="stable")
        lowest, rest = order[: most // 2], np.sort(order[most // 2 :])
        evenly = rest[np.linspace(0, len(rest) - 1, most - len(lowest)).round().astype(int)]
        kept = np.sort(np.concatenate([lowest, evenly]))
        extra = None if self.extra is None else self.extra[kept]
        return replace(self, rows=self.rows[kept], values=self.values[kept], extra=extra)

    def with_more(self, rows: np.ndarray, values: np.ndarray) -> ModelData:
        """These and others, whose values have no noise of their own."""
        extra = None if self.extra is None else np.concatenate([np.zeros(len(values)), self.extra])
        return replace(
            self, rows=np.concatenate([rows, self.rows]), values=np.concatenate([values, self.values]), extra=extra
        )
