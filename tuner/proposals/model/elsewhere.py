"""Results of other campaigns as knowledge of a search's model: a trend, lengths of knobs, and places to look at.

Each source (the space's recorded runs, an earlier campaign) has a Gaussian process of its own, on its scores as this
search takes its own: by the logarithm above a floor, and standardised, since sizes and data of a source are others than
here. What this search's trials have of it stands in ``trend.py`` and ``models.py``. Results that this campaign could
have measured itself are observations beside that (``observations.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.model import candidates
from tuner.proposals.model.data import ModelData
from tuner.proposals.model.gaussian_process import GaussianProcess
from tuner.proposals.model.models import Models
from tuner.proposals.model.observations import warped
from tuner.proposals.model.trend import Trend
from tuner.proposals.warm_start import Point

BEST = 10  # places of a source that a search looks at beside its own
MOVED_FROM = 5  # of them, places that are moved from
OWN_SPREAD = 1.0  # trials that the spread of a source's values counts as, beside those seen here


class SourceModel:
    """Model of one source: its points as rows, best first, and a Gaussian process."""

    def __init__(self, coordinates: Coordinates, points: Sequence[Point], seed: int) -> None:
        scores = np.array([point.score for point in points])
        data = ModelData(coordinates.rows([point.values for point in points]), warped(scores, scores)[0])
        self.process: GaussianProcess = Models(coordinates, seed, 0).fitted("ends", data)
        means = self.process.mean_at(coordinates.features(data.rows)).numpy()
        self.ranked = data.rows[np.argsort(means, kind="stable")]


class Elsewhere:
    """All sources that a search starts from; those of ``foreign`` points are its trend."""

    def __init__(self, coordinates: Coordinates, points: Sequence[Point], seed: int) -> None:
        self.coordinates = coordinates
        of: dict[tuple[str, bool], list[Point]] = {}
        for point in points:
            of.setdefault((point.source, point.same), []).append(point)
        sources = {which: SourceModel(coordinates, some, seed) for which, some in of.items()}
        self.sources = list(sources.values())
        self.foreign = [source for (_, same), source in sources.items() if not same]
        self.same = [TrialEnd(dict(point.values), "completed", point.score) for point in points if point.same]
        self.best = np.concatenate([source.ranked[:BEST] for source in self.sources])

    def trend(self, rows: np.ndarray) -> Trend | None:
        """The trend for a search that has ends at ``rows``: its columns have about mean 0 and variance 1 there."""
        if not self.foreign:
            return None
        raw = self._raw(self.coordinates.features(rows))
        middle = raw.mean(dim=0)
        spread = ((OWN_SPREAD + ((raw - middle) ** 2).sum(dim=0)) / (OWN_SPREAD + len(raw))).sqrt()
        logs = torch.stack([source.process.parameters.lengths.log() for source in self.foreign])
        return Trend(lambda features: (self._raw(features) - middle) / spread, logs.mean(dim=0))

    def _raw(self, features: np.ndarray) -> torch.Tensor:
        return torch.stack([source.process.mean_at(features) for source in self.foreign], dim=1)

    def point(self, number: int, known: set[bytes], generator: np.random.Generator) -> np.ndarray:
        """A row to try before there are ends to judge by: the lowest of a function drawn from one source's model."""
        source = self.sources[number % len(self.sources)]
        places = source.ranked[:BEST]
        pool = np.concatenate([places, candidates.first(self.coordinates, source.ranked, MOVED_FROM, generator)])
        scores = source.process.draw(self.coordinates.features(pool), generator).numpy()
        scores[[row_bytes(row) in known for row in pool]] = np.inf
        row: np.ndarray = pool[int(np.argmin(scores))]
        return row


def row_bytes(row: np.ndarray) -> bytes:
    """Bytes of a row that are equal for the same point."""
    return row.round(9).tobytes()
