"""Models of trials: of their ends, of what trains, and of seconds. They are fitted now and then, not at every ask."""

from __future__ import annotations

import numpy as np

from trainable.seeds import derived
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.model.data import ModelData
from tuner.proposals.model.gaussian_process import GaussianProcess, Hyperparameters, Likelihood, drawn, most_likely

MOST = 400  # values that a posterior is computed of: an ask stays short in a campaign of thousands
FITTED_ON = 200  # values that hyperparameters are fitted on
REFIT = 10  # new values after which they are fitted anew, or a tenth of all where that is more


class Models:
    """Maker of posteriors; the campaign's seed, what had begun and the question's number seed its draws."""

    def __init__(self, coordinates: Coordinates, seed: int, begun: int) -> None:
        self.coordinates, self.seed, self.begun = coordinates, seed, begun
        self._known: dict[str, tuple[int, list[Hyperparameters]]] = {}  # of what -> fitted on how many values

    def hyperparameters(self, name: str, number: int, data: ModelData, draws: int = 0) -> Hyperparameters:
        """Choose those of a model for the n-th question: the most likely ones and draws of them, by turns."""
        count, known = self._known.get(name, (0, []))
        if not known or len(data.values) >= count + max(REFIT, count // 10):
            few = data.subset(FITTED_ON)
            features, knobs = self.coordinates.features(few.rows), self.coordinates.knob_of_feature
            likelihood = Likelihood(features, few.values, knobs, few.extra, data.mean)
            best = most_likely(likelihood)
            others = drawn(likelihood, best, draws, np.random.default_rng(derived(self.seed, "gp", self.begun, number)))
            known = [likelihood.hyperparameters(offsets) for offsets in (best, *others)]
            self._known[name] = len(data.values), known
        return known[number % len(known)]

    def posterior(
        self, parameters: Hyperparameters, data: ModelData, believed: ModelData | None = None
    ) -> GaussianProcess:
        """A posterior of the values, or of a subset of them where there are many, and of all that are ``believed``."""
        kept = data.subset(MOST)
        if believed is not None:
            kept = kept.with_more(believed.rows, believed.values)
        features, knobs = self.coordinates.features(kept.rows), self.coordinates.knob_of_feature
        return GaussianProcess(features, kept.values, parameters, knobs, kept.extra, data.mean)

    def fitted(self, name: str, data: ModelData) -> GaussianProcess:
        """A posterior with the most likely hyperparameters."""
        return self.posterior(self.hyperparameters(name, 0, data), data)
