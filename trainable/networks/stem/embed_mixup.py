"""The modules of embedding mixup: who is mixed with whom."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PreviousMixup(nn.Module):
    """Mixup of each token's embedding with the one before it."""

    weight: Tensor

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.register_buffer("weight", torch.tensor(weight), persistent=False)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        if not self.training:
            return x
        share = self.weight * torch.rand(tokens.shape, device=x.device)
        return torch.lerp(x, self.partner(x), share.to(x.dtype)[..., None])

    def partner(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, :1], x[:, :-1]], dim=1)


class RolledMixup(PreviousMixup):
    def partner(self, x: Tensor) -> Tensor:
        return x.roll(1, dims=1)


class RandomMixup(PreviousMixup):
    def partner(self, x: Tensor) -> Tensor:
        return x[torch.rand(len(x), device=x.device).argsort()]
