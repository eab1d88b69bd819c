"""Two models of recorded trainings, so that what wins on one by its kind of smoothness must win on the other too.

A forest of random trees steps, and knows nothing of distance; a Gaussian process is smooth, with a length for each
column. Both give many outputs at once: the training curve, the rungs and the end. They learn the logarithm of a value's
distance to a floor just below the best, so that differences among good configs count as much as those among bad ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

TREES = 200
SMALLEST_LEAF = 2
FITTED_ON = 300  # points that the lengths are fitted on: their cost grows with the third power
LONGEST = 30.0  # of a length: a column so long does nothing
ROOM = 0.25  # of the range of the better half, by which the floor lies below the best


class Model(Protocol):
    """A regression of several outputs on a vector."""

    def fit(self, inputs: np.ndarray, outputs: np.ndarray) -> Model:
        """Learn outputs (points, outputs) at inputs (points, columns)."""

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """The expected outputs, (points, outputs)."""


class Warp:
    """The logarithm of values (points, outputs) above a floor of each output, and its inverse."""

    def __init__(self, values: np.ndarray) -> None:
        best, middle = np.nanmin(values, axis=0), np.nanmedian(values, axis=0)
        self.floor = best - ROOM * np.maximum(middle - best, 1e-9)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.log(np.maximum(values - self.floor, 1e-9))
        return found

    def inverse(self, warped: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.floor + np.exp(warped)
        return found


class Trees:
    """Extremely randomised trees (Geurts et al. 2006)."""

    def __init__(self, seed: int = 0) -> None:
        self.forest = ExtraTreesRegressor(
            n_estimators=TREES, min_samples_leaf=SMALLEST_LEAF, max_features=0.5, random_state=seed, n_jobs=1
        )

    def fit(self, inputs: np.ndarray, outputs: np.ndarray) -> Trees:
        self.forest.fit(inputs, outputs if outputs.shape[1] > 1 else outputs[:, 0])
        trees = [each.tree_ for each in self.forest.estimators_]
        self.roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
        self.left = np.concatenate([tree.children_left + root for tree, root in zip(trees, self.roots, strict=True)])
        self.right = np.concatenate([tree.children_right + root for tree, root in zip(trees, self.roots, strict=True)])
        self.column = np.concatenate([tree.feature for tree in trees])
        self.threshold = np.concatenate([tree.threshold for tree in trees])
        self.value = np.concatenate([tree.value[:, :, 0] for tree in trees])  # (nodes, outputs)
        return self

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predict what the forest does, by all trees at once: points come one by one, which scikit-learn is slow at."""
        inputs = inputs.astype(np.float32)  # as scikit-learn compares them
        node = np.tile(self.roots, (len(inputs), 1))
        row = np.arange(len(inputs))[:, None]
        while (inner := self.column[node] >= 0).any():
            below = inputs[row, self.column[node]] <= self.threshold[node]
            node = np.where(inner, np.where(below, self.left[node], self.right[node]), node)
        found: np.ndarray = self.value[node].mean(axis=1)
        return found


class Smooth:
    """A Gaussian process with a Matern kernel (nu = 2.5), a length a column, and noise.

    Its lengths are those of the last output, fitted on some of the points; all outputs then share them.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, inputs: np.ndarray, outputs: np.ndarray) -> Smooth:
        self.middle, self.spread = outputs.mean(axis=0), outputs.std(axis=0) + 1e-12
        scaled = (outputs - self.middle) / self.spread
        few = np.random.default_rng(self.seed).permutation(len(inputs))[:FITTED_ON]
        kernel = ConstantKernel(1.0, (0.05, 50.0)) * Matern(
            np.full(inputs.shape[1], 2.0), (0.1, LONGEST), nu=2.5
        ) + WhiteKernel(0.1, (1e-4, 1.0))
        lengths = GaussianProcessRegressor(kernel, random_state=self.seed)
        with warnings.catch_warnings():  # of lengths at their bounds, which is how a column is left out
            warnings.simplefilter("ignore", ConvergenceWarning)
            lengths.fit(inputs[few], scaled[few, -1])
        self.process = GaussianProcessRegressor(lengths.kernel_, optimizer=None).fit(inputs, scaled)
        return self

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        found = np.asarray(self.process.predict(inputs)).reshape(len(inputs), -1)
        return found * self.spread + self.middle


KINDS: dict[str, Callable[..., Any]] = {"trees": Trees, "smooth": Smooth}
