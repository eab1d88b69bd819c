"""Muon as nanochat runs it: Polar Express, NorMuon's second moment, cautious decay, settings that follow the run.

Each piece can be left out, so this is also where the variants of Muon are compared; ``muon.py`` is the plain one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from terminal.nearest import rule_of_names

from trainable.optimizers.iteration_precision import in_bfloat16
from trainable.optimizers.orthogonaliser import Orthogonaliser
from trainable.optimizers.polar_express import PolarExpress
from trainable.optimizers.stack import stacks
from trainable.optimizers.update_rule import RuleState, UpdateRule
from trainable.ranges import Amount, PartBelowOne, PositivePart, Steps

if TYPE_CHECKING:
    from torch import Tensor, nn

# The factor on the rate of a matrix of so many rows and columns; rows are outputs.
SCALES: dict[str, Callable[[int, int], float]] = {
    "original": lambda rows, columns: max(1.0, rows / columns) ** 0.5,  # rates in units of the spectral norm
    "match_rms_adamw": lambda rows, columns: 0.2 * max(rows, columns) ** 0.5,  # arXiv 2502.16982: Adam's rates fit
    "sqrt_fan_ratio": lambda rows, columns: (rows / columns) ** 0.5,  # microsoft/dion: RMS to RMS operator norm
    "none": lambda rows, columns: 1.0,
}
DECAYS: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "linear": lambda progress: 1 - progress,
    "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
}


@dataclass(frozen=True, kw_only=True)
class NorMuon(UpdateRule):
    """m <- b m + (1-b) g; o = orthogonal((1-b) g + b m); v <- beta2 v + (1-beta2) mean(o^2); o <- o / sqrt(v).

    v (arXiv 2510.05491) has an entry for each index of the longer side; dividing by it keeps the norm of o. Then
    p -= lr * s * o with the scale s of ``lr_scale``. Decay takes lr * s * wd * p off, but only where o * p >= 0
    (cautious, nanochat's), or lr * wd * p everywhere.
    """

    driven: ClassVar[tuple[str, ...]] = ("momentum", "momentum_start", "momentum_end")
    switched_by: ClassVar[Mapping[str, str]] = {"cautious": "weight_decay", "decay_schedule": "weight_decay"}

    orthogonal: Orthogonaliser = PolarExpress()  # how it orthogonalises
    momentum: PartBelowOne = 0.97  # b, at its full value
    momentum_start: PartBelowOne = 0.85  # rises in a line from here ...
    momentum_warmup_steps: Steps = 400  # ... in so many updates
    momentum_end: PartBelowOne = 0.90  # and falls in a line to here ...
    momentum_warmdown_frac: PositivePart | None = None  # ... over this last part of the run; null: does not fall
    nesterov: bool = True  # else o is that of m alone
    beta2: PartBelowOne | None = 0.9  # null: no second moment
    equilibrate: bool = False  # MuonEq: rows (of the shorter side) scaled to their mean norm beforehand
    renormalise: bool = False  # Muon+: |o| set to sqrt(rank) afterwards
    lr_scale: str = "original"  # the factor s on the rate, by the shape of the matrix
    weight_decay: Amount = 0.0  # decoupled
    cautious: bool = True  # decay only where o * p >= 0
    decay_schedule: str = "cosine"  # of the weight decay over the run

    def validate(self) -> None:
        for name, known in (("lr_scale", SCALES), ("decay_schedule", DECAYS)):
            value = getattr(self, name)
            self.check(value in known, name, rule_of_names(value, known))

    def momentum_at(self, step: int, progress: float) -> float:
        """The momentum of update ``step``; while it still rises, a fall that has begun waits, as in nanochat."""
        if step < self.momentum_warmup_steps:
            ramp = step / self.momentum_warmup_steps
            return (1 - ramp) * self.momentum_start + ramp * self.momentum
        if self.momentum_warmdown_frac is None:
            return self.momentum
        fallen = max(0.0, 1 - (1 - progress) / self.momentum_warmdown_frac)
        return (1 - fallen) * self.momentum + fallen * self.momentum_end

    def start(self, parameters: Sequence[nn.Parameter]) -> RuleState:
        import torch

        found = stacks(parameters)
        state: RuleState = {"momentum": [stack.zeros() for stack in found]}
        if self.beta2 is not None:
            state["square"] = [torch.zeros_like(mean_square(m, long_side(m))) for m in state["momentum"]]
        state["bfloat16"] = in_bfloat16(found)
        return state

    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        self.update_at(parameters, state, lr, step, 0.0)

    def update_at(
        self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int, progress: float
    ) -> None:
        beta, decay = self.momentum_at(step, progress), self.weight_decay * DECAYS[self.decay_schedule](progress)
        for i, stack in enumerate(stacks(parameters)):
            for part, place in stack.parts():
                direction = self.direction(part.gradients(), state["momentum"][i][place], beta, state["bfloat16"])
                if self.beta2 is not None:
                    direction = second_moment(direction, state["square"][i][place], self.beta2)
                for members, changes in part.changes(direction):
                    self.apply(members, changes, lr, decay)

    def direction(self, gradient: Tensor, buffer: Tensor, beta: float, bfloat16: bool) -> Tensor:
        """The orthogonalised momentum of a stack; ``buffer`` is its momentum and moves on, ``gradient`` is used up."""
        import torch

        buffer.lerp_(gradient, 1 - beta)
        direction = gradient.lerp_(buffer, beta) if self.nesterov else buffer
        if self.equilibrate:
            norms = torch.linalg.vector_norm(direction, dim=-1, keepdim=True)
            direction = direction * (norms.mean(-2, keepdim=True) / norms.clamp_min(1e-10))
        found: Tensor = self.orthogonal(direction.bfloat16() if bfloat16 else direction).to(buffer.dtype)
        if self.renormalise:
            found = found * (found.size(-2) ** 0.5 / torch.linalg.matrix_norm(found, keepdim=True).clamp_min(1e-10))
        return found

    def apply(self, members: list[Tensor], changes: Tensor, lr: float, decay: float) -> None:
        """Take the changes (n, rows, columns) and the decay off matrices of one shape."""
        import torch

        scaled = lr * SCALES[self.lr_scale](*members[0].shape)
        if decay and self.cautious:
            weights = torch.stack(members)
            weights.addcmul_(weights, changes * weights >= 0, value=-scaled * decay).add_(changes, alpha=-scaled)
            torch._foreach_copy_(members, weights.unbind())
            return
        if decay:
            torch._foreach_mul_(members, 1 - lr * decay)
        torch._foreach_add_(members, changes.unbind(), alpha=-scaled)


def long_side(stack: Tensor) -> int:
    """The axis to average over so that an entry is left for each index of the longer side; for squares, each row."""
    return -1 if stack.size(-2) == stack.size(-1) else -2


def mean_square(stack: Tensor, axis: int) -> Tensor:
    return stack.square().mean(axis, keepdim=True)


def second_moment(direction: Tensor, square: Tensor, beta2: float) -> Tensor:
    """NorMuon: each entry of the longer side divided by its running RMS, at the Frobenius norm that it had."""
    import torch

    square.lerp_(mean_square(direction, long_side(direction)), 1 - beta2)
    scaled = direction * square.clamp_min(1e-10).rsqrt()
    before, after = (torch.linalg.matrix_norm(x, keepdim=True) for x in (direction, scaled))
    kept: Tensor = scaled * (before / after.clamp_min(1e-10))
    return kept
