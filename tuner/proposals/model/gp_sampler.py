"""Sampler of Optuna that proposes by Gaussian processes of a study's trials.

What it proposes is decided by the trials and the seed of the question alone, so that a resume with the same rows asks
for the same. Results of other campaigns are a trend of the model of ends. Until there is enough to judge it by,
functions drawn from the models of those results say where to look. The best candidate is looked for among random
points, moves and crosses, which options and conditions need where a gradient leads nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
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
from tuner.proposals.model.elsewhere import Elsewhere, row_bytes
from tuner.proposals.model.goal import Goal
from tuner.proposals.model.models import Models
from tuner.proposals.model.observations import Observations, observed
from tuner.proposals.point_sampler import PointSampler
from tuner.proposals.warm_start import Point

FEWEST = 4  # measured ends before there is a model
BEST = 5  # points that are moved from
ROUNDS, FINER = 3, 60  # of finer moves, and candidates in each


class GaussianProcessSampler(PointSampler):
    """Proposals for a space in a start of a campaign that has ``begun`` trials, and ``replicates`` on other seeds.

    ``points`` are results of other campaigns.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        begun: int,
        replicates: Sequence[TrialEnd] = (),
        points: Sequence[Point] = (),
    ) -> None:
        self.coordinates, self.seed, self.begun, self.replicates = Coordinates(space), seed, begun, replicates
        self.points = points
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

    @cached_property
    def elsewhere(self) -> Elsewhere | None:
        """Models of what other campaigns found, fitted at the first question."""
        if not self.points or not self.coordinates.knobs:
            return None
        with single_threaded():
            return Elsewhere(self.coordinates, self.points, self.seed)

    def proposed(self, trials: list[FrozenTrial], number: int) -> dict[str, Value]:
        """The point to try next, given all trials; with too few ends, one by other campaigns or at random."""
        generator = np.random.default_rng(derived(self.seed, "gp", self.begun, number))
        same = () if self.elsewhere is None else self.elsewhere.same
        found = observed(trials, self.coordinates, self.replicates, same)
        with single_threaded(), torch.no_grad():
            if found is None or not found.allowed.any() or int(found.allowed.sum()) + len(same) < FEWEST:
                row = self._first(trials, number, generator)
            else:
                row = self._best(found, number, generator)
        return self.coordinates.values(row)

    def _first(self, trials: list[FrozenTrial], number: int, generator: np.random.Generator) -> np.ndarray:
        if self.elsewhere is None:
            anything = np.full((1, len(self.coordinates.knobs)), np.nan)
            row: np.ndarray = self.coordinates.settled(anything, generator)[0]
            return row
        known = {row_bytes(row) for row in self.coordinates.rows([t.params for t in trials if t.params])}
        return self.elsewhere.point(number, known, generator)

    def _best(self, found: Observations, number: int, generator: np.random.Generator) -> np.ndarray:
        goal = Goal(self.models, found, number, generator, self.elsewhere)
        pool = candidates.first(self.coordinates, goal.ranked, BEST, generator)
        if self.elsewhere is not None:
            pool = np.concatenate([pool, self.elsewhere.best])
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
