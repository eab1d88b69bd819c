"""A device that trains by a surrogate: asked for a config and a seed, it answers as a real training would.

The end of a run is what the model expects for its config, plus what the seed does: the difference of a recorded
replicate from the mean of its config, drawn for this config and seed. Values on the way have the same draw's
differences, and of another recorded run what its way had beside the model's and its own end explains none of: so how
well rungs order ends is as it was recorded, not as a smooth model has it. Memory and validity are no guess: they are
computed as in the recording.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from benchmarks.surrogate import encoding, models, small_spaces
from benchmarks.surrogate.small_spaces import SmallSpace
from benchmarks.surrogate.trainings import Training
from search_spaces.domains import Value
from tuner.failures import OUT_OF_MEMORY

OUT_OF_MEMORY_PART = 0.1  # of a base run's seconds, after which a run is out of memory: 30 s of five minutes
FEWEST_DIVERGED = 10  # recorded ones, below which no config is taken to diverge
FOLDS = 5
NEAREST = 10  # recorded runs, of which one lends a config the shape of its curve
NUM_RUNGS = len(small_spaces.RUNGS)
INVALID = "infeasible"


@dataclass(frozen=True)
class Outcome:
    """A run's end, what it had on its way, and the seconds that it took."""

    status: str
    seconds: float
    rungs: tuple[float, ...] = ()  # after each of small_spaces.RUNGS
    train: tuple[float, ...] = ()  # training loss over equal parts of the run

    @property
    def final(self) -> float | None:
        return self.rungs[-1] if self.status == "completed" else None


class Device:
    """A surrogate of one space, of one kind of model. Campaigns search all knobs but those ``kept`` at the base.

    ``unseen`` are trainings that it was not fitted on, for priors.
    """

    def __init__(
        self,
        small: SmallSpace,
        trainings: Sequence[Training],
        kind: str,
        seed: int = 0,
        kept: Sequence[str] = (),
        unseen: Sequence[Training] = (),
    ) -> None:
        self.small, self.kind, self.unseen, base = small, kind, unseen, small.space.values_of(small.base)
        self.kept = {path: base[path] for path in kept}
        self.searched = replace(small.space, knobs=tuple(k for k in small.space.knobs if k.path not in kept))
        self.base_point = self.searched.values_of(small.base)
        runs = [t for t in trainings if t.completed]
        self.points = [t.values for t in runs]
        self.inputs = encoding.encode(small.space, self.points)
        values = np.array([[*t.train, *t.rungs] for t in runs])
        self.warp = models.Warp(values)
        self.outputs = self.warp(values)
        self.groups = np.unique([t.config for t in runs], return_inverse=True)[1]
        self.model = models.KINDS[kind](seed).fit(self.inputs, self.outputs)
        self.seconds_model = models.Trees(seed).fit(self.inputs, np.log([[t.seconds] for t in runs]))
        self.held_out = held_out(kind, self.inputs, self.outputs, self.groups, seed)
        self.ways = ways(self.outputs - self.held_out)
        self.replicates = replicates(self.outputs, self.groups)
        self.diverges = divergence(small, trainings, seed)
        self.base_seconds = self.seconds(small.space.values_of(small.base))
        self._known: dict[str, tuple[np.ndarray, int, float]] = {}

    def train(self, values: Mapping[str, Value], seed: int) -> Outcome:
        """Train a config with a seed: the same answer whenever it is asked."""
        values = self.whole(values)
        try:
            config = self.small.config(values)
        except ValueError:
            return Outcome(INVALID, 0.0)
        if not self.small.fits(config):
            return Outcome(OUT_OF_MEMORY, OUT_OF_MEMORY_PART * self.base_seconds)
        expected, nearest, chance = self.known(values)
        generator = np.random.default_rng([*_words(values), seed])
        seconds = self.seconds(values)
        if generator.random() < chance:
            return Outcome("diverged", seconds * float(generator.random()))
        way = self.ways[nearest] if len(self.ways) else 0.0
        drawn = expected + way + self.replicates[int(generator.integers(len(self.replicates)))]
        found = self.warp.inverse(drawn)
        return Outcome("completed", seconds, tuple(found[-NUM_RUNGS:]), tuple(found[:-NUM_RUNGS]))

    def whole(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """A point of the searched knobs with those that are kept, in the order of the space."""
        found = {**self.kept, **values}
        return {knob.path: found[knob.path] for knob in self.small.space.knobs if knob.path in found}

    def known(self, values: Mapping[str, Value]) -> tuple[np.ndarray, int, float]:
        """Expected outputs of a config (warped), the recorded run that lends it a shape, and its chance to diverge."""
        text = json.dumps(dict(values), sort_keys=True)
        if text not in self._known:
            point = encoding.encode(self.small.space, [values])
            near = np.argsort(((self.inputs - point) ** 2).sum(axis=1))[:NEAREST]
            lender = int(near[np.random.default_rng(_words(values)).integers(len(near))])
            chance = 0.0 if self.diverges is None else float(self.diverges.predict_proba(point)[0, 1])
            self._known[text] = self.model.predict(point)[0], lender, chance
        return self._known[text]

    def expected(self, values: Mapping[str, Value]) -> float:
        """The end of a config over its seeds: the median."""
        return float(self.warp.inverse(self.known(self.whole(values))[0])[-1])

    def seconds(self, values: Mapping[str, Value]) -> float:
        """Seconds of a whole run."""
        point = encoding.encode(self.small.space, [self.whole(values)])
        return float(np.exp(self.seconds_model.predict(point)[0, 0]))


def held_out(kind: str, inputs: np.ndarray, outputs: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Predictions for each run by a model that has seen no run of its config, (runs, outputs)."""
    found = np.empty_like(outputs)
    fold = np.random.default_rng(seed).permutation(np.arange(groups.max() + 1) % FOLDS)[groups]
    for number in range(FOLDS):
        away = fold == number
        found[away] = models.KINDS[kind](seed).fit(inputs[~away], outputs[~away]).predict(inputs[away])
    return found


def ways(residuals: np.ndarray) -> np.ndarray:
    """Residuals on the way without the part that goes with the residual at the end, which is then 0."""
    end = residuals[:, -1:]
    slope = (residuals * end).sum(axis=0) / max(1e-12, float((end**2).sum()))
    found: np.ndarray = residuals - slope * end
    return found


def replicates(outputs: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Differences of runs from the mean of their config's runs, widened for the mean's own error: what a seed does.

    A row a run of a config with several; a ValueError where there is none.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[int(group)].append(index)
    several = [rows for rows in members.values() if len(rows) > 1]
    if not several:
        raise ValueError("no config was recorded with two seeds, so nothing is known of the noise")
    return np.concatenate(
        [(outputs[rows] - outputs[rows].mean(axis=0)) * np.sqrt(len(rows) / (len(rows) - 1)) for rows in several]
    )


def divergence(small: SmallSpace, trainings: Sequence[Training], seed: int) -> ExtraTreesClassifier | None:
    """A model of the chance to diverge; None where too few did."""
    runs = [t for t in trainings if t.status in ("completed", "diverged")]
    labels = [t.status == "diverged" for t in runs]
    if sum(labels) < FEWEST_DIVERGED:
        return None
    inputs = encoding.encode(small.space, [t.values for t in runs])
    forest = ExtraTreesClassifier(
        models.TREES, min_samples_leaf=models.SMALLEST_LEAF, max_features=0.5, random_state=seed, n_jobs=1
    )
    return forest.fit(inputs, labels)


def _words(values: Mapping[str, Value]) -> list[int]:
    """Numbers that stand for a config, to seed a generator with."""
    digest = hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode()).digest()
    return [int.from_bytes(digest[at : at + 4], "big") for at in (0, 4, 8, 12)]
