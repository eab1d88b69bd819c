"""The worth of a candidate: expected improvement times the chance that it trains, a second of expected time.

A trial that runs is taken to end as expected (kriging believer), so that the next one is another. Where many run, every
second proposal is the lowest point of one function drawn from the posterior (Thompson sampling): believed ends make the
model surer than it is.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from tuner.proposals.model import acquisition
from tuner.proposals.model.data import ModelData
from tuner.proposals.model.elsewhere import Elsewhere, row_bytes
from tuner.proposals.model.models import Models
from tuner.proposals.model.observations import Observations

DRAWS = 4  # of hyperparameters of the ends beside the most likely ones
FEWEST_TIMED = 4  # trials with seconds, before there is a model of them
EVEN_SECONDS = 0.05  # spread of their logarithm, below which all runs are taken to cost the same
FAILED_PART = 0.1  # of a usual run's seconds that a failure is taken to cost before any has told
FAILURES = 4.0  # that have told their seconds, which this counts as
BLUR = 0.2  # least standard deviation of the label that a trial trains, so that no chance is quite 0 or 1
MANY = 16  # running trials, from which on every second proposal is drawn
LIKELY_TO_TRAIN = 0.5  # least chance of a proposal that is drawn


class Goal:
    """Scorer of candidates for the n-th question, by what is known then: higher is better."""

    def __init__(
        self,
        models: Models,
        found: Observations,
        number: int,
        generator: np.random.Generator,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.coordinates, self.generator = models.coordinates, generator
        trend = None if elsewhere is None else elsewhere.trend(found.valued)
        told = ModelData(found.valued, found.values, found.extra, trend=trend)
        parameters = models.hyperparameters("ends", number, told, DRAWS)
        self.ends = models.posterior(parameters, told)
        if len(found.running):
            believed = self.ends.mean_at(self.coordinates.features(found.running)).numpy()
            self.ends = models.posterior(parameters, told, ModelData(found.running, believed))
        self.by_draw = len(found.running) >= MANY and number % 2 == 1
        measured = found.valued[found.allowed]
        means = self.ends.mean_at(self.coordinates.features(measured)).numpy()
        self.incumbent = float(means.min())
        places = measured
        if elsewhere is not None:
            places = np.concatenate([measured, elsewhere.best])
            means = self.ends.mean_at(self.coordinates.features(places)).numpy()
        self.ranked = places[np.argsort(means, kind="stable")]  # rows to look around, best first
        labels = ModelData(found.tried, found.trains, mean=1.0)  # far away from all a config is taken to train
        self.trains = None if (found.trains > 0).all() else models.fitted("trains", labels)
        self.spread_of_seconds = float(found.log_seconds.std()) if len(found.log_seconds) >= FEWEST_TIMED else 0.0
        self.seconds = None
        if self.spread_of_seconds > EVEN_SECONDS:
            scaled = (found.log_seconds - found.log_seconds.mean()) / self.spread_of_seconds
            self.seconds = models.fitted("seconds", ModelData(found.timed, scaled))
        self.failed_part = part_of_failures(found)
        self.known = {row_bytes(row) for row in found.known}

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """A score for each row of coordinates; minus infinity for one that has been tried."""
        features = self.coordinates.features(rows)
        log_chance = self._log_chance(features)
        if self.by_draw:
            score = -self.ends.draw(features, self.generator)
            score[log_chance < math.log(LIKELY_TO_TRAIN)] = -math.inf
        else:
            improvement = acquisition.log_expected_improvement(*self.ends.predict(features), self.incumbent)
            score = improvement + log_chance - self._log_seconds(features, log_chance)
        found: np.ndarray = score.numpy()
        found[[row_bytes(row) in self.known for row in rows]] = -np.inf
        return found

    def _log_chance(self, features: np.ndarray) -> torch.Tensor:
        if self.trains is None:
            return torch.zeros(len(features), dtype=torch.float64)
        return acquisition.log_chance(*self.trains.predict(features), BLUR)

    def _log_seconds(self, features: np.ndarray, log_chance: torch.Tensor) -> torch.Tensor:
        """The logarithm of a trial's expected seconds, as a part of a usual one's: it may fail, which costs less."""
        whole = torch.ones(len(features), dtype=torch.float64)
        if self.seconds is not None:
            whole = (self.seconds.mean_at(features) * self.spread_of_seconds).exp()
        chance = log_chance.exp()
        return (chance * whole + (1 - chance) * self.failed_part).log()


def part_of_failures(found: Observations) -> float:
    """Seconds of a failure as a part of a usual run's, of those that have told theirs."""
    if not len(found.log_seconds):
        return FAILED_PART
    told = found.failed_seconds / math.exp(float(found.log_seconds.mean()))
    return float((FAILURES * FAILED_PART + told.sum()) / (FAILURES + len(told)))
