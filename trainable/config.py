"""The config of one training: everything that decides its result, and nothing else.

Device, workers, paths and compilation are not here (see ``runtime.py``): they may change the speed of a run but
must not change what it is, so they are no part of its key.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from trainable import hooks as _hooks  # noqa: F401  (importing registers the components by name)
from trainable import losses as _losses  # noqa: F401
from trainable import models as _models  # noqa: F401
from trainable import optimizers as _optimizers  # noqa: F401
from trainable.component import Component
from trainable.component_json import hashed
from trainable.data.dataset import DataConfig
from trainable.evaluation.artifact import Artifact
from trainable.evaluation.evaluate import EvaluationConfig
from trainable.hooks.hook import Hook
from trainable.key_text import NONE_KNOWN, fields_text, joined
from trainable.losses.loss_term import LossTerm
from trainable.models.gpt import GPT
from trainable.models.model import Model
from trainable.optimizers.muon_adam import MuonAdam
from trainable.optimizers.update_rule import Optimizer
from trainable.ranges import MOST_COUNT, Every, Flops, NumTokens, Ratio, Repeats, Seconds, Seed
from trainable.runtime import BF16, FP32
from trainable.schedules import Cosine, Schedule
from trainable.target import Target

WHOLE_UNITS = ("steps", "tokens", "flops")  # counted in whole numbers
UNITS = (*WHOLE_UNITS, "seconds", "param_data_ratio", "epochs")


@dataclass(frozen=True, kw_only=True)
class Budget(Component):
    """An amount of training. With several limits the first one reached ends it; at least one is set."""

    kind: ClassVar[str] = "Budget"

    steps: Every | None = None  # optimizer steps
    tokens: NumTokens | None = None  # training tokens
    flops: Flops | None = None  # forward and backward, by the model's own count
    seconds: Seconds | None = None  # training time: evaluation, compilation and set-up do not count
    param_data_ratio: Ratio | None = None  # tokens a scaling parameter (block matrices and output matrix)
    epochs: Ratio | None = None  # passes over the training data; what a pass is says data.order

    def validate(self) -> None:
        if all(getattr(self, u) is None for u in UNITS):
            raise ValueError(f"a Budget needs a limit: set one of {', '.join(UNITS)}")

    @classmethod
    def example(cls) -> Self:
        return cls(steps=240)

    @property
    def unit(self) -> str:
        """The unit that rungs are counted in: the first one set of ``UNITS``."""
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
    """Amounts that a run has used so far."""

    steps: int = 0
    tokens: int = 0
    flops: int = 0
    seconds: float = 0.0
    param_data_ratio: float = 0.0
    epochs: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Component):
    """One training run. Defaults are the parameter-golf baseline with a cosine that completes in 240 steps."""

    model: Model = GPT()  # the network
    optimizer: Optimizer = MuonAdam()  # update rules and rates
    schedule: Schedule = Cosine()  # the multiplier of all rates over the run
    losses: tuple[LossTerm, ...] = ()  # terms added to the cross-entropy, in training only
    hooks: tuple[Hook, ...] = ()  # tricks on batches, gradients and weights, run in this order
    data: DataConfig = DataConfig()  # what is read, and in which batches
    budget: Budget = Budget(steps=240)  # when training stops
    horizon: Budget | None = None  # what the schedule's progress is measured against; null is the budget
    evaluation: EvaluationConfig = EvaluationConfig()  # what is scored
    target: Target | None = None  # a loss at which training stops before the budget is spent
    artifact: Artifact | None = None  # export at the end, and the limit on its size
    loss_chunks: Repeats = 1  # pieces that the cross-entropy is computed in: memory only
    precision: str | None = None  # of matrix products: bf16, or null, which is fp32; a campaign's is --precision
    seed: Seed = 1337  # initialisation and every draw during training; documents are shuffled by it, the data are not

    def validate(self) -> None:
        for name in ("losses", "hooks"):
            members = [type(c).__name__ for c in getattr(self, name)]
            if len(set(members)) < len(members):
                raise ValueError(f"{name} has {max(members, key=members.count)} twice; a trick stands in a config once")
        if self.model.has_learned_positions and self.evaluation.seq_len > self.data.seq_len:
            raise ValueError(
                f"evaluation.seq_len is {self.evaluation.seq_len} but must be at most {self.data.seq_len}, "
                f"data.seq_len: {type(self.model).__name__} learns its positions, and those beyond are never trained"
            )
        steps, batch = self.budget.steps or 0, self.data.batch_tokens
        if steps * batch > MOST_COUNT:
            raise ValueError(
                f"budget.steps {steps:,} of data.batch_tokens {batch:,} are more than {MOST_COUNT:,} tokens, the most"
            )
        self.check(self.precision in (None, BF16), "precision", f"null (fp32) or {BF16}")
        self.check(self.loss_chunks == 1 or not self.losses, "loss_chunks", "1 with loss terms, which see all logits")

    @property
    def longest_row(self) -> int:
        """Tokens of the longest row that the network is built for."""
        return max(self.data.seq_len, self.evaluation.seq_len)

    @property
    def number_format(self) -> str:
        """Name the precision of matrix products, one of runtime.PRECISIONS."""
        return self.precision or FP32

    def key(self, data_fingerprint: str, known: Mapping[int, str] = NONE_KNOWN) -> str:
        """The run's identity: equal keys are the same computation.

        Components at their neutral setting are dropped (the contract tests show that they change nothing), and so are
        fields that are null, so that a new optional knob changes no key. The data count by their content, not by the
        path that they were read from. ``known`` has the texts of parts, as in key_text.py.
        """
        return hashed(joined({**fields_text(self, known), "data": _data_text(self.data, data_fingerprint)}))


@functools.lru_cache(maxsize=64)
def _data_text(data: DataConfig, fingerprint: str) -> str:
    """The text of the data in a key."""
    fields = {**fields_text(data), "fingerprint": json.dumps(fingerprint)}
    del fields["source"]
    return joined(dict(sorted(fields.items())))
