"""Models of trials: of their ends, of what trains, and of seconds. They are fitted now and then, not at every ask.

Where a trend comes from elsewhere, there are two models of the ends: with the trend and the lengths that were fitted
there, and without either. Questions take turns with both, in proportion to how well they explain the trials, so that a
trend that contradicts them loses its turns.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from trainable.seeds import derived
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.model.data import ModelData
from tuner.proposals.model.gaussian_process import GaussianProcess, Hyperparameters, Likelihood, drawn, most_likely

MOST = 400  # values that a posterior is computed of: an ask stays short in a campaign of thousands
FITTED_ON = 200  # values that hyperparameters are fitted on
REFIT = 10  # new values after which they are fitted anew, or a tenth of all where that is more
REFIT_EARLY, EARLY = 3, 24  # the same while a trend is judged by so few
ODDS = 3.0  # of a trend, against none, before any trial


class Models:
    """Maker of posteriors; the campaign's seed, what had begun and the question's number seed its draws."""

    def __init__(self, coordinates: Coordinates, seed: int, begun: int) -> None:
        self.coordinates, self.seed, self.begun = coordinates, seed, begun
        self._known: dict[str, tuple[int, list[Hyperparameters]]] = {}  # of what -> fitted on how many values

    def hyperparameters(self, name: str, number: int, data: ModelData, draws: int = 0) -> Hyperparameters:
        """Choose those of a model for the n-th question: the most likely ones and draws of them, by turns."""
        count, known = self._known.get(name, (0, []))
        early = data.trend is not None and count < EARLY
        if not known or len(data.values) >= count + (REFIT_EARLY if early else max(REFIT, count // 10)):
            known = self._fitted(data.subset(FITTED_ON), number, draws)
            self._known[name] = len(data.values), known
        return known[number % len(known)]

    def _fitted(self, data: ModelData, number: int, draws: int) -> list[Hyperparameters]:
        """The most likely hyperparameters and draws of them: with the trend, without it, or some of both."""
        features, knobs = self.coordinates.features(data.rows), self.coordinates.knob_of_feature
        generator = np.random.default_rng(derived(self.seed, "gp", self.begun, number))
        trends = (None,) if data.trend is None else (data.trend, None)
        models = [Likelihood(features, data.values, knobs, data.extra, data.mean, trend) for trend in trends]
        best = [most_likely(likelihood) for likelihood in models]
        found: list[Hyperparameters] = []
        for likelihood, offsets, count in zip(models, best, self._turns(models, best, 1 + draws), strict=True):
            if count:
                several = (offsets, *drawn(likelihood, offsets, count - 1, generator))
                found += [likelihood.hyperparameters(each) for each in several]
        return found

    @staticmethod
    def _turns(models: list[Likelihood], best: list[torch.Tensor], count: int) -> list[int]:
        """Share ``count`` questions among the models, by how well they explain the trials."""
        if len(models) == 1:
            return [count]
        with_trend, without = (model.density(offsets) for model, offsets in zip(models, best, strict=True))
        share = 1 / (1 + math.exp(min(700.0, without - with_trend)) / ODDS)
        turns = round(count * share)
        return [turns, count - turns]

    def posterior(
        self, parameters: Hyperparameters, data: ModelData, believed: ModelData | None = None
    ) -> GaussianProcess:
        """A posterior of the values, or of a subset of them where there are many, and of all that are ``believed``."""
        kept = data.subset(MOST)
        if believed is not None:
            kept = kept.with_more(believed.rows, believed.values)
        features, knobs = self.coordinates.features(kept.rows), self.coordinates.knob_of_feature
        return GaussianProcess(features, kept.values, parameters, knobs, kept.extra, data.mean, data.trend)

    def fitted(self, name: str, data: ModelData) -> GaussianProcess:
        """A posterior with the most likely hyperparameters."""
        return self.posterior(self.hyperparameters(name, 0, data), data)
