"""Points of a small space, as the recording of real trainings draws them: at random, near the base, near the best.

The recording trains what is drawn here, and a campaign on the surrogate asks for other points: a region that no draw
reaches is one where the surrogate guesses. So a third covers the whole space, a third the base's surroundings, and a
third is chosen by what has been recorded, so that the region of good configs is the densest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search_spaces.domains import Choice, Domain, Integer, Value
from search_spaces.space import Space

REDRAWN = 0.15  # the chance of a knob to leave the base
MUTATED = 0.1  # the chance of a knob to leave both parents
BEST = 0.1  # the part of the recorded runs that parents are taken of
FEWEST_PARENTS = 8

Values = Mapping[str, Value]


def draw(domain: Domain, generator: np.random.Generator) -> Value:
    """A random value of one knob."""
    if isinstance(domain, Choice):
        return domain.labels[int(generator.integers(len(domain.labels)))]
    if isinstance(domain, Integer) and not domain.is_log:
        return int(generator.integers(domain.low, domain.high + 1))
    if isinstance(domain, Integer):
        ends = np.log([domain.low - 0.5, domain.high + 0.5])
        return int(np.clip(round(float(np.exp(generator.uniform(*ends)))), domain.low, domain.high))
    if domain.is_log:
        return float(np.exp(generator.uniform(np.log(domain.low), np.log(domain.high))))
    return float(generator.uniform(domain.low, domain.high))


def completed(space: Space, wanted: Values, generator: np.random.Generator) -> dict[str, Value]:
    """The values of ``wanted`` of all knobs that are active under them, those that it lacks drawn at random."""
    values: dict[str, Value] = {}
    for knob in space.knobs:
        if space.active(knob, values):
            values[knob.path] = wanted[knob.path] if knob.path in wanted else draw(knob.domain, generator)
    return values


def at_random(space: Space, generator: np.random.Generator) -> dict[str, Value]:
    """A point of the whole space."""
    return completed(space, {}, generator)


def near(space: Space, base: Values, generator: np.random.Generator, chance: float = REDRAWN) -> dict[str, Value]:
    """A point whose knobs are those of ``base``, each drawn anew with a ``chance``."""
    return completed(space, {path: base[path] for path in base if generator.random() >= chance}, generator)


def child(space: Space, ranked: Sequence[Values], generator: np.random.Generator) -> dict[str, Value]:
    """A point between two of the best of ``ranked``, best first: a choice of either, a number between or beside them.

    Each knob is drawn anew with a small chance.
    """
    count = min(len(ranked), max(FEWEST_PARENTS, int(BEST * len(ranked))))
    one, other = (ranked[int(i)] for i in generator.choice(count, size=2, replace=count < 2))
    mixed = {}
    for knob in space.knobs:
        both = [parent[knob.path] for parent in (one, other) if knob.path in parent]
        if both and generator.random() >= MUTATED:
            mixed[knob.path] = _between(knob.domain, both[0], both[-1], generator)
    return completed(space, mixed, generator)


def _between(domain: Domain, one: Value, other: Value, generator: np.random.Generator) -> Value:
    """A value of two parents: one of them for a choice, else one around the line between them, inside the domain."""
    if isinstance(domain, Choice | Integer):
        return one if generator.random() < 0.5 else other
    assert isinstance(one, int | float) and isinstance(other, int | float)
    part = generator.uniform(-0.25, 1.25)
    found = one * (other / one) ** part if domain.is_log else one + (other - one) * part
    return float(np.clip(found, domain.low, domain.high))
