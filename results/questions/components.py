"""A curve for each knob, added up: the model that tells how much of the differences between trials a knob makes.

The value of a trial is the sum of a smooth function of each knob, of products of two knobs, and of noise: the additive
form of a Gaussian process (Durrande et al. 2012, arXiv:1103.4023), in a few basis functions. ``posterior.py`` says what
their coefficients may be, after the trials.

What a function explains over the whole domain is divided among knobs as by Shapley values (Owen 2014, "Sobol' indices
and Shapley value"): a knob has what it makes alone, and half of what it makes together with another one. A knob that
is active in a part of the domain only acts together with those that switch it on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.questions.knobs import SearchedKnob

BASIS = 3  # functions of a range: half a wave, a whole one, and one and a half
MOST_PRODUCTS = 2000  # of two basis functions: with more knobs than give as many, each acts by itself only


@dataclass(frozen=True)
class Basis:
    """Basis functions at the trials: orthonormal over each knob's domain, zero where it is not active."""

    features: np.ndarray  # (trials, functions)
    group: np.ndarray  # (functions,): the knob that each is of; of a product the number of knobs
    weights: np.ndarray  # (functions,): a coefficient's variance beside its knob's
    owners: np.ndarray  # (functions, knobs): what each knob has, over the domain, of a function's squared coefficient

    @property
    def knobs(self) -> int:
        return int(self.owners.shape[1])


def basis(
    knobs: Sequence[SearchedKnob], places: Sequence[np.ndarray], active: Sequence[np.ndarray], domain: np.ndarray
) -> Basis:
    """The functions of knobs at their ``places``, where they are ``active``, and products of the first of them.

    ``domain`` (points, knobs) says of points that are even over the domain which knobs are active there.
    """
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
    share, live = _shared(knobs, domain.mean(axis=0)), domain.T.astype(float) @ domain / len(domain)
    both = np.eye(len(knobs))[of[one]] + np.eye(len(knobs))[of[other]]
    return Basis(
        np.hstack([alone, alone[:, one] * alone[:, other]]),
        np.concatenate([of, np.full(len(pairs), len(knobs))]),
        np.array(weights + [1 / max(1, len(pairs))] * len(pairs)),
        np.vstack([share[of], both * live[of[one], of[other]][:, None] / 2]),
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


def _shared(knobs: Sequence[SearchedKnob], live: np.ndarray) -> np.ndarray:
    """(knobs, knobs): what the second one has of what the first one makes, which is active in a part of the domain."""
    found = np.diag(live).astype(float)
    for number, (knob, part) in enumerate(zip(knobs, live, strict=True)):
        switches = [place for place, other in enumerate(knobs) if other.path in (knob.when or {})]
        if switches:
            found[number, number] = part * (1 + part) / 2
            found[number, switches] = part * (1 - part) / 2 / len(switches)
    return found
