"""Scales of a space whose trainings take more arithmetic than a search's: where its winner is still to be tried."""

from __future__ import annotations

from dataclasses import replace

from search_spaces.space import Space
from trainable.config import Budget, TrainConfig
from tuner.plan.cost import tokens_of
from tuner.plan.trial_cost import work_of


def arithmetic(config: TrainConfig) -> float:
    """The arithmetic of a whole training (FLOPs), where it can be counted beforehand; else in units of its budget."""
    tokens = tokens_of(config)
    if tokens is None:
        return work_of(config) * config.budget.amount
    return work_of(replace(config, budget=Budget(tokens=1))) * tokens


def larger_scales(space: Space, scale: str) -> tuple[str, ...]:
    """Scales whose trainings take more arithmetic than those of ``scale``, the largest first."""
    here = arithmetic(space.scale(scale).base)
    found = {name: arithmetic(other.base) for name, other in space.scales.items() if name != scale}
    return tuple(sorted((name for name, work in found.items() if work > here), key=lambda name: -found[name]))
