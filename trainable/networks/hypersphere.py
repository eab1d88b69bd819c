"""Building blocks of nGPT: unit vectors, learned scales that are stored at another size, and steps along the sphere.

Source: arXiv 2410.01131 and NVIDIA/ngpt; the additive step and the scalars are those of the 20-round campaign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trainable.networks.parts import Live
from trainable.networks.scalar import Scalar

if TYPE_CHECKING:
    from trainable.hooks.hook import Step

EPS = 1e-8  # under the root


def unit(x: Tensor) -> Tensor:
    """x / |x| over the last axis, computed in fp32; 0 stays 0."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().sum(-1, keepdim=True) + EPS)).to(x.dtype)


class LearnedScale(nn.Module):
    """A learned scale that starts at ``init`` and is stored at ``stored``: value = parameter * init / stored.

    Adam moves the parameter by about its rate whatever its size, hence the value by about rate * init / stored.
    """

    def __init__(self, shape: tuple[int, ...], init: float, stored: float | None = None) -> None:
        super().__init__()
        start = init if stored is None else stored
        self.parameter = nn.Parameter(torch.full(shape, start))
        self.factor = Scalar(init / start)

    def forward(self) -> Tensor:
        scale: Tensor = self.parameter * self.factor()
        return scale


class Magnitude(LearnedScale):
    """A scale whose sign does not count."""

    def forward(self) -> Tensor:
        return super().forward().abs()


class UnitHeads(nn.Module):
    """Queries or keys (batch, time, heads, head_dim) at length 1, times a learned scale per head and channel."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = LearnedScale((dim,), 1.0, dim**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        scale: Tensor = self.scale()
        return unit(x) * scale.view(x.shape[-2:]).to(x.dtype)


class WidthScale(nn.Module):
    """x * s * sqrt(dim) with a learned s per channel: brings products of unit vectors back to the size of 1."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.scale = LearnedScale((width,), 1.0)
        self.root = dim**0.5

    def forward(self, x: Tensor) -> Tensor:
        widened: Tensor = self.scale() * self.root
        return x * widened.to(x.dtype)


class Unit(nn.Module):
    """x / |x|."""

    def forward(self, x: Tensor) -> Tensor:
        return unit(x)


class SometimesUnit(Live):
    """x / |x| in a part of the steps of training, drawn for each module, else x; in evaluation always x / |x|.

    nGPT's document leaves a stochastic normalisation of the residual for later, and means it in two ways: by chance
    (here), and once a block (a probability of 0, which needs no module).
    """

    drawn: Tensor  # (), 0 or 1

    def __init__(self, prob: float) -> None:
        super().__init__()
        self.prob = prob
        self.register_buffer("drawn", torch.ones(()), persistent=False)

    def before_step(self, step: Step) -> None:
        self.drawn.copy_(torch.rand((), generator=step.generator, device=self.drawn.device) < self.prob)

    def forward(self, x: Tensor) -> Tensor:
        return torch.lerp(x, unit(x), self.drawn.to(x.dtype)) if self.training else unit(x)


class Lerp(nn.Module):
    """n(x + a (n(f) - x)): a step of a from x towards the sub-layer's direction (the paper)."""

    def __init__(self, alpha: LearnedScale, norm: nn.Module) -> None:
        super().__init__()
        self.alpha, self.norm = alpha, norm

    def forward(self, x: Tensor, f: Tensor) -> Tensor:
        out: Tensor = self.norm(torch.addcmul(x, self.alpha().to(x.dtype), unit(f) - x))
        return out


class Additive(nn.Module):
    """n(x + a f): the sub-layer's output at its own length (the campaign)."""

    def __init__(self, alpha: LearnedScale, norm: nn.Module) -> None:
        super().__init__()
        self.alpha, self.norm = alpha, norm

    def forward(self, x: Tensor, f: Tensor) -> Tensor:
        out: Tensor = self.norm(torch.addcmul(x, self.alpha().to(x.dtype), f.to(x.dtype)))
        return out
