"""Global gradient-norm clipping. Muon's update ignores a common factor: on matrices it acts through momentum alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.ranges import Positive

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class GradientClip(Hook):
    """g *= min(1, max_norm / |g|) over all parameters together; null is neutral. Parameter golf's GRAD_CLIP_NORM.

    After backward, on gradients: list it after the hooks that change them. Usually 0.3..1.
    """

    max_norm: Positive | None = None

    def after_backward(self, step: Step, state: State) -> None:
        from torch.nn.utils import clip_grad_norm_

        if self.max_norm is not None:
            norm = clip_grad_norm_(step.parameters(), self.max_norm)
            state["clipped_steps"] = state.get("clipped_steps", 0) + (norm > self.max_norm)
            step.log("gradient_norm", norm)

    def clips(self, step: Step, state: State) -> Mapping[str, Tensor]:
        return {} if self.max_norm is None else {"clipped_share": state["clipped_steps"] / (step.index + 1)}

    @classmethod
    def neutral(cls) -> Self:
        return cls()

    @classmethod
    def example(cls) -> Self:
        return cls(max_norm=0.01)
