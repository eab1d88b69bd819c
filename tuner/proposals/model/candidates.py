"""Candidates of a proposal, as rows of coordinates: random points, moves away from good ones, and crosses of them."""

from __future__ import annotations

import numpy as np

from tuner.proposals.coordinates import Coordinates

ANYWHERE, MOVED, CROSSED = 200, 400, 100  # of each kind in the first round
MOVED_KNOBS, FINE_KNOBS = 4.0, 2.0  # knobs of a point that a move changes, on average
STEP, FINE_STEP = 0.15, 0.05  # standard deviations of a move, as parts of the range
REDRAWN = 0.3  # the chance that a knob that moves is drawn anew
MUTATED = 0.1  # the chance of a knob to leave both parents


def first(coordinates: Coordinates, ranked: np.ndarray, best: int, generator: np.random.Generator) -> np.ndarray:
    """The first round: ``ranked`` are the rows of good points, best first, of which ``best`` are moved from."""
    nothing = np.full((ANYWHERE, ranked.shape[1]), np.nan)
    starts = ranked[np.arange(MOVED) % min(best, len(ranked))]
    moves = moved(coordinates, starts, generator, MOVED_KNOBS, STEP, REDRAWN)
    crosses = crossed(ranked[: max(8, len(ranked) // 10)], generator)
    return coordinates.settled(np.concatenate([nothing, moves, crosses]), generator)


def finer(coordinates: Coordinates, top: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """A later round: small moves away from the best candidates so far."""
    moves = moved(coordinates, top[np.arange(count) % len(top)], generator, FINE_KNOBS, FINE_STEP, 0.0)
    return coordinates.settled(moves, generator)


def moved(
    coordinates: Coordinates,
    rows: np.ndarray,
    generator: np.random.Generator,
    knobs: float,
    step: float,
    redrawn: float,
) -> np.ndarray:
    """Rows of which about so many knobs each take a normal step, or are NaN: drawn anew, as all choices that move."""
    moves = generator.random(rows.shape) < knobs / max(1, rows.shape[1])
    anew = coordinates.is_choice | (generator.random(rows.shape) < redrawn)
    steps = generator.normal(size=rows.shape) * np.maximum(step, coordinates.least_step)
    found: np.ndarray = np.where(moves, np.where(anew, np.nan, rows + steps), rows)
    return found


def crossed(parents: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Rows whose knobs are of one of two parents, by chance; a few are NaN: drawn anew."""
    one, other = (parents[generator.integers(len(parents), size=CROSSED)] for _ in range(2))
    mixed = np.where(generator.random(one.shape) < 0.5, one, other)
    found: np.ndarray = np.where(generator.random(one.shape) < MUTATED, np.nan, mixed)
    return found
