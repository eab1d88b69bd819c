"""A curve for each knob, added up: the model that tells how much of the differences between trials a knob makes.

The value of a trial is the sum of a smooth function of each knob, of products of two knobs, and of noise. A function is
a few basis functions with normal coefficients, whose variance is one number for each knob (and one for all products
together), found by maximum likelihood: a Gaussian process with automatic relevance determination in its additive form
(Durrande et al. 2012, arXiv:1103.4023). A knob that explains nothing is driven to zero. The likelihood goes up by the
steps of Zhou et al. (2019), "MM Algorithms for Variance Components Models".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.questions.knobs import SearchedKnob

BASIS = 3  # functions of a range: half a wave, a whole one, and one and a half
STEPS = 60  # of the likelihood's maximisation
# Chosen with benchmarks/importance.py on seeds that its table does not use. Without the first, each of two dozen knobs
# takes a little of the noise; the second keeps a fit of few trials from explaining everything.
PENALTY = 0.05  # on a knob's variance beside that of the values, counted in log-likelihood for each trial
NOISE_TRIALS = 4.0  # that say beforehand that all of the variance is noise
MOST_PRODUCTS = 2000  # of two basis functions: with more knobs than give as many, each acts by itself only


@dataclass(frozen=True)
class Basis:
    """Basis functions at the trials: orthonormal over each knob's domain, zero where it is not active."""

    features: np.ndarray  # (trials, functions)
    group: np.ndarray  # (functions,): the knob that each is of; of a product the number of knobs
    weights: np.ndarray  # (functions,): a coefficient's variance beside its knob's
    owners: np.ndarray  # (functions, knobs): whose it is: 1 of a knob's own, 1/2 for each of a product's two

    @property
    def knobs(self) -> int:
        return int(self.owners.shape[1])

    @property
    def scaled(self) -> np.ndarray:
        """(trials, functions): with coefficients whose variance is their knob's."""
        found: np.ndarray = self.features * np.sqrt(self.weights)
        return found


def basis(knobs: Sequence[SearchedKnob], places: Sequence[np.ndarray], active: Sequence[np.ndarray]) -> Basis:
    """The functions of knobs at their ``places``, where they are ``active``, and products of the first of them."""
    assert knobs, "there is something to fit"
    features, group, weights, first = list[np.ndarray](), list[int](), list[float](), list[int]()
    for number, (knob, place, here) in enumerate(zip(knobs, places, active, strict=True)):
        found = _functions(knob, np.where(here, place, 0.0))
        found[~here] = 0.0
        count = found.shape[1]
        falling = np.ones(count) if knob.kind == "choice" else np.arange(1.0, count + 1) ** -2
        first += [len(group) + i for i in range(count if knob.kind == "choice" else min(1, count))]
        features.append(found)
        weights += (falling / falling.sum()).tolist()
        group += [number] * count
    alone, of = np.hstack(features), np.array(group, dtype=int)
    pairs = [(a, b) for a in first for b in first if of[a] < of[b]]
    pairs = pairs if len(pairs) <= MOST_PRODUCTS else []
    one, other = np.array(pairs, dtype=int).reshape(-1, 2).T
    share = np.eye(len(knobs))
    return Basis(
        np.hstack([alone, alone[:, one] * alone[:, other]]),
        np.concatenate([of, np.full(len(pairs), len(knobs))]),
        np.array(weights + [1 / max(1, len(pairs))] * len(pairs)),
        np.vstack([share[of], (share[of[one]] + share[of[other]]) / 2]),
    )


def _functions(knob: SearchedKnob, places: np.ndarray) -> np.ndarray:
    """(trials, functions): waves over a range, contrasts between options."""
    if knob.kind != "choice":
        waves = np.arange(1, min(BASIS, max(1, len(np.unique(places)) - 1)) + 1)
        found: np.ndarray = math.sqrt(2) * np.cos(math.pi * waves * places[:, None])
        return found
    options = len(knob.options)
    contrasts, _ = np.linalg.qr((np.eye(options) - 1 / options)[:, : options - 1])  # each sums to 0
    chosen: np.ndarray = (contrasts * math.sqrt(options))[places.astype(int)]
    return chosen


@dataclass(frozen=True)
class Fit:
    """The model fitted to several sets of values at once: the first axis is the set's."""

    variances: np.ndarray  # (sets, knobs + 1): the last one is of all products
    noise: np.ndarray  # (sets,): variance of what no knob explains
    squares: np.ndarray  # (sets, functions): of the coefficients, expected by the values

    def shares(self, found: Basis) -> np.ndarray:
        """(sets, knobs): the part of the variance over the domain that is each knob's; the rest of 1 is noise."""
        explained = self.squares @ found.owners
        whole = explained.sum(axis=1) + self.noise
        shares: np.ndarray = explained / whole[:, None]
        return shares


def fit_components(
    found: Basis,
    values: np.ndarray,
    known: np.ndarray,
    counts: np.ndarray,
    start: Fit | None = None,
    steps: int = STEPS,
) -> Fit:
    """Fit to ``values`` (sets, trials), of which each counts ``counts`` (sets, trials) times.

    ``known`` (trials,) is the variance that a value is known to have beside the noise of all.
    """
    total = counts.sum(axis=1)
    middle = (counts * values).sum(axis=1) / total
    centre = counts @ found.scaled / total[:, None]
    root = np.sqrt(counts)
    y = root * (values - middle[:, None])
    x = root[:, :, None] * (found.scaled[None] - centre[:, None, :])
    spread = np.maximum((y**2).sum(axis=1) / total, 1e-12)
    member = np.eye(found.knobs + 1)[found.group]
    variances = np.repeat(spread[:, None] / (2 * (found.knobs + 1)), found.knobs + 1, axis=1)
    noise = spread / 2
    if start is not None:
        variances, noise = (variances + start.variances) / 2, (noise + start.noise) / 2
    penalty = PENALTY * total / spread
    for _ in range(steps):
        inverse = np.linalg.inv(covariance_of(x, variances @ member.T, noise[:, None] + known))
        solved = np.einsum("sij,sj->si", inverse, y)
        along = np.einsum("stf,st->sf", x, solved) ** 2 @ member
        size = (x * (inverse @ x)).sum(axis=1) @ member
        left = (solved**2).sum(axis=1) + NOISE_TRIALS * spread / noise**2
        variances = variances * np.sqrt(along / (size + penalty[:, None]))
        noise = noise * np.sqrt(left / (np.trace(inverse, axis1=1, axis2=2) + NOISE_TRIALS / noise))
    prior = variances @ member.T
    inverse = np.linalg.inv(covariance_of(x, prior, noise[:, None] + known))
    means = prior * np.einsum("stf,st->sf", x, np.einsum("sij,sj->si", inverse, y))
    spreads = np.maximum(prior - prior**2 * (x * (inverse @ x)).sum(axis=1), 0.0)
    return Fit(variances, noise, (means**2 + spreads) * found.weights)


def covariance_of(x: np.ndarray, variances: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The covariance of values (sets, trials, trials), by features (sets, trials, functions) with a variance each."""
    found: np.ndarray = (x * variances[:, None, :]) @ x.transpose(0, 2, 1)
    trials = np.arange(x.shape[1])
    found[:, trials, trials] += noise
    return found
