"""Sampler of Optuna that proposes by Gaussian processes of a study's trials.

What it proposes is decided by the trials and the seed of the question alone, so that a resume with the same rows asks
for the same. The best candidate is looked for among random points, moves and crosses, which options and conditions need
where a gradient leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
import torch
from optuna.trial import FrozenTrial

from search_spaces.domains import Value
from search_spaces.space import Space
from trainable.seeds import derived
from tuner.campaign.trial_end import TrialEnd
from tuner.proposals.coordinates import Coordinates
from tuner.proposals.model import candidates
from tuner.proposals.model.goal import Goal
from tuner.proposals.model.models import Models
from tuner.proposals.model.observations import Observations, observed
from tuner.proposals.point_sampler import PointSampler

FEWEST = 4  # measured ends before there is a model
BEST = 5  # points that are moved from
ROUNDS, FINER = 3, 60  # of finer moves, and candidates in each


class GaussianProcessSampler(PointSampler):
    """Proposals for a space in a start of a campaign that has ``begun`` trials, and ``replicates`` on other seeds."""

    def __init__(self, space: Space, seed: int, begun: int, replicates: Sequence[TrialEnd] = ()) -> None:
        self.coordinates, self.seed, self.begun, self.replicates = Coordinates(space), seed, begun, replicates
        self.models = Models(self.coordinates, seed, begun)
        # for what an enqueued point leaves open
        self._random = optuna.samplers.RandomSampler(seed=derived(seed, "gp", begun, 0))
        self._point: dict[str, Value] = {}

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        self._point = {} if trial.system_attrs.get("fixed_params") else self.proposed(others, trial.number)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        if param_name in self._point:
            return self._point[param_name]
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def proposed(self, trials: list[FrozenTrial], number: int) -> dict[str, Value]:
        """The point to try next, given all trials; a random one while there are too few ends."""
        generator = np.random.default_rng(derived(self.seed, "gp", self.begun, number))
        found = observed(trials, self.coordinates, self.replicates)
        if found is None or int(found.allowed.sum()) < FEWEST:
            anything = np.full((1, len(self.coordinates.knobs)), np.nan)
            return self.coordinates.values(self.coordinates.settled(anything, generator)[0])
        with single_threaded(), torch.no_grad():
            return self.coordinates.values(self._best(found, number, generator))

    def _best(self, found: Observations, number: int, generator: np.random.Generator) -> np.ndarray:
        goal = Goal(self.models, found, number, generator)
        pool = candidates.first(self.coordinates, goal.ranked, BEST, generator)
        scores = goal.scores(pool)
        for _ in range(0 if goal.by_draw else ROUNDS):  # another draw would be of another function
            top = pool[np.argsort(-scores, kind="stable")[:BEST]]
            more = candidates.finer(self.coordinates, top, FINER, generator)
            pool, scores = np.concatenate([pool, more]), np.concatenate([scores, goal.scores(more)])
        best: np.ndarray = pool[int(np.argmax(scores))]
        return best


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let torch compute on one thread: matrices are small, and the cores are the trials'."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
