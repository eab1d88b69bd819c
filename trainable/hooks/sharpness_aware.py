"""Sharpness-aware minimisation (arXiv 2010.01412): the gradient is taken uphill of the weights it is applied to.

What parameter golf's script calls SAM is another thing, ``UphillDrift``; neither was run in its log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from trainable.hooks.hook import Hook, State, Step, gradient
from trainable.ranges import Amount


@dataclass(frozen=True, kw_only=True)
class SharpnessAware(Hook):
    """g is computed anew at w + ``radius`` * g / |g|, the norm being over all parameters; w itself stays.

    After backward; it replaces all gradients, so list it before hooks that change them. The batch and the draws inside
    the network are the same both times. radius is 0 (neutral), usually 0.01..0.5; a step takes twice as long.
    """

    radius: Amount = 0.0

    def after_backward(self, step: Step, state: State) -> None:
        import torch

        if self.radius == 0:
            return
        parameters = step.parameters()
        with torch.no_grad():
            kept = [p.clone() for p in parameters]
            length = torch.nn.utils.get_total_norm([gradient(p) for p in parameters])
            scale = self.radius / length.clamp(min=torch.finfo(length.dtype).tiny)
            for p in parameters:
                p.add_(gradient(p) * scale)
        step.recompute_gradients()
        with torch.no_grad():
            for p, w in zip(parameters, kept, strict=True):  # from a copy: adding and subtracting is not exact
                p.copy_(w)

    @classmethod
    def neutral(cls) -> Self:
        return cls(radius=0.0)

    @classmethod
    def example(cls) -> Self:
        return cls(radius=0.1)
