"""Chance that a knob only seems to matter: its score when the trials' values are permuted.

Two tests, since a search is no random sample. The first holds each knob's score against the best score of any knob when
the values are permuted, so that where no knob matters none is named, but in that part of campaigns. But a sampler moves
all knobs at once to where it is good, so that a knob that does nothing moves with those that do. The second takes out
what the other knobs explain before it permutes what is left; alone it would name too many, as the others are fitted.
"""

from __future__ import annotations

import numpy as np

from results.questions.components import Basis, Fit, covariance_of

MOST_NAMED = 8  # knobs, of which each is taken out before the next one is looked for
RIDGE = 0.3  # on the coefficients of what is taken out, in trials


def chances(found: Basis, values: np.ndarray, random: np.random.Generator, times: int, level: float) -> np.ndarray:
    """(knobs,): the part of permutations in which some knob scores as the knob does.

    The score is that of the knob's variance component. Scores of knobs with other numbers of functions are compared by
    their own p values, and the smallest of these with its own distribution (Westfall and Young 1993). The best knob
    within ``level`` is fitted and taken out, and the rest are judged by what is left, until none is within it.
    """
    y = values - values.mean()
    own = [_own(found, knob) for knob in range(found.knobs)]
    orders = np.stack([np.arange(len(y)), *(random.permutation(len(y)) for _ in range(times))])
    told, named, left = np.ones(found.knobs), list[int](), y
    while True:
        drawn = left[orders]
        taken = np.hstack([own[knob] for knob in named]) if named else np.zeros((len(y), 0))
        drawn = drawn - (drawn @ taken) @ _solved(taken)
        scores = np.stack([((drawn @ functions) ** 2).sum(axis=1) for functions in own], axis=1)
        parts = np.stack([_parts(score) for score in scores.T], axis=1)
        parts[:, named] = np.inf
        smallest = parts.min(axis=1)
        rest = [knob for knob in range(found.knobs) if knob not in named]
        for knob in rest:
            told[knob] = float((smallest <= parts[0, knob]).mean())
        above = (scores[0] - scores.mean(axis=0)) / np.maximum(scores.std(axis=0), 1e-300)
        best = min(rest, key=lambda knob: (told[knob], -above[knob]))
        if told[best] > level or len(named) + 1 == min(MOST_NAMED, found.knobs):
            return told
        named.append(best)
        taken = np.hstack([own[knob] for knob in named])
        left = y - (y @ taken) @ _solved(taken)


def beside_the_others(
    found: Basis, values: np.ndarray, known: np.ndarray, fitted: Fit, random: np.random.Generator, times: int
) -> np.ndarray:
    """(knobs,): the part of permutations in which some knob scores as the knob does beside what the others explain.

    The values are whitened by the covariance that is fitted to them without the knob, and permuted then.
    """
    x = found.scaled - found.scaled.mean(axis=0)
    orders = np.stack([np.arange(len(values)), *(random.permutation(len(values)) for _ in range(times))])
    variances = fitted.variances[0][found.group]
    parts = np.ones((times + 1, found.knobs))
    for knob in range(found.knobs):
        mine = found.group == knob
        others = np.where(mine, 0.0, variances)
        factor = np.linalg.cholesky(covariance_of(x[None], others[None], (fitted.noise[0] + known)[None])[0])
        white, along = np.linalg.solve(factor, values - values.mean()), np.linalg.solve(factor, x[:, mine])
        parts[:, knob] = _parts(((white[orders] @ along) ** 2).sum(axis=1))
    smallest = parts.min(axis=1)
    return np.array([float((smallest <= part).mean()) for part in parts[0]])


def _own(found: Basis, knob: int) -> np.ndarray:
    mine: np.ndarray = found.scaled[:, found.group == knob]
    centred: np.ndarray = mine - mine.mean(axis=0)
    return centred


def _solved(taken: np.ndarray) -> np.ndarray:
    """(functions, trials): what a least-squares fit with a small ridge makes of the products with the values."""
    found: np.ndarray = np.linalg.solve(taken.T @ taken + RIDGE * np.eye(taken.shape[1]), taken.T)
    return found


def _parts(scores: np.ndarray) -> np.ndarray:
    """Return for each score the part of all scores that are at least as large."""
    rising = np.sort(scores)
    found: np.ndarray = (len(scores) - np.searchsorted(rising, scores)) / len(scores)
    return found
