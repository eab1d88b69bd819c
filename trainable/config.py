"""The config of one training: everything that decides its result, and nothing else.

Device, workers, paths and compilation are not here (see ``runtime.py``): they may change the speed of a run but
must not change what it is, so they are no part of its key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from trainable import hooks as _hooks  # noqa: F401  (importing registers the components by name)
from trainable import losses as _losses  # noqa: F401
from trainable import models as _models  # noqa: F401
from trainable import optimizers as _optimizers  # noqa: F401
from trainable.component import Component, encode, fingerprint, without_neutral
from trainable.data import DataConfig
from trainable.evaluate import EvaluationConfig
from trainable.hooks.hook import Hook
from trainable.losses.loss_term import LossTerm
from trainable.models.gpt import GPT
from trainable.models.model import Model
from trainable.optimizers.muon_adam import MuonAdam
from trainable.optimizers.update_rule import Optimizer
from trainable.schedules import Cosine, Schedule

UNITS = ("steps", "tokens", "flops", "seconds")


@dataclass(frozen=True, kw_only=True)
class Budget(Component):
    """An amount of training. With several limits the first one reached ends it; at least one is set."""

    kind: ClassVar[str] = "Budget"

    steps: int | None = None  # optimizer steps
    tokens: int | None = None  # training tokens
    flops: int | None = None  # forward and backward, by the model's own count
    seconds: float | None = None  # training time: evaluation, compilation and set-up do not count

    def __post_init__(self) -> None:
        if all(getattr(self, u) is None for u in UNITS):
            raise ValueError(f"a Budget needs a limit: set one of {', '.join(UNITS)}")
        for unit in UNITS:
            amount = getattr(self, unit)
            self.check(amount is None or 0 < amount < math.inf, unit, "positive and finite")

    @classmethod
    def example(cls) -> Self:
        return cls(steps=240)

    @property
    def unit(self) -> str:
        """The unit that rungs are counted in: the first one set of steps, tokens, flops, seconds."""
        return next(u for u in UNITS if getattr(self, u) is not None)

    @property
    def amount(self) -> float:
        """The limit in :attr:`unit`."""
        return float(getattr(self, self.unit))

    def fraction(self, spent: Spent) -> float:
        """The spent part, in [0, 1]: the largest over the limits."""
        parts = [getattr(spent, u) / getattr(self, u) for u in UNITS if getattr(self, u) is not None]
        return float(min(1.0, max(parts)))


@dataclass
class Spent:
    """What a run has used so far."""

    steps: int = 0
    tokens: int = 0
    flops: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Component):
    """One training run. Defaults are the parameter-golf baseline with a cosine that completes in 240 steps."""

    model: Model = GPT()
    optimizer: Optimizer = MuonAdam()
    schedule: Schedule = Cosine()
    losses: tuple[LossTerm, ...] = ()
    hooks: tuple[Hook, ...] = ()
    data: DataConfig = DataConfig()
    budget: Budget = Budget(steps=240)  # when training stops
    horizon: Budget | None = None  # what the schedule's progress is measured against; null is the budget
    evaluation: EvaluationConfig = EvaluationConfig()
    seed: int = 1337  # initialisation and every draw during training; the order of the data does not depend on it

    def __post_init__(self) -> None:
        for name in ("losses", "hooks"):
            members = [type(c).__name__ for c in getattr(self, name)]
            if len(set(members)) < len(members):
                raise ValueError(f"{name} has {max(members, key=members.count)} twice; a trick stands in a config once")
        self.check(0 <= self.seed < 2**63, "seed", "in 0..2^63-1")

    def key(self, data_fingerprint: str) -> str:
        """The run's identity: equal keys are the same computation.

        Components at their neutral setting are dropped (the contract tests show that they change nothing), and the data
        count by their content, not by the path that they were read from.
        """
        data: dict[str, Any] = encode(without_neutral(self))
        del data["data"]["source"]
        data["data"]["fingerprint"] = data_fingerprint
        return fingerprint(data)
