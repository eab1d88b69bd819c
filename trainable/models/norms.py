"""Norms with a learned gain, for models that take their pick."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component
from trainable.ranges import Positive

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Norm(Component):
    """Normalises over the last axis."""

    kind: ClassVar[str] = "norm"
    abstract: ClassVar[bool] = True

    eps: Positive = 1e-6  # under the root; 1e-8..1e-5

    @abstractmethod
    def build(self, dim: int, bias: bool) -> nn.Module:
        """A module (..., dim) -> (..., dim); only a norm that centres has a bias to take."""


@dataclass(frozen=True, kw_only=True)
class LayerNorm(Norm):
    """gain * (x - mean) / sqrt(var + eps) + bias (arXiv 1607.06450); GPT-2's."""

    eps: Positive = 1e-5

    def build(self, dim: int, bias: bool) -> nn.Module:
        from trainable.networks import norms

        return norms.GainedLayerNorm(dim, self.eps, bias=bias)


@dataclass(frozen=True, kw_only=True)
class RMSNorm(Norm):
    """gain * x / sqrt(mean(x^2) + eps) (arXiv 1910.07467); the mainrun report's replacement."""

    def build(self, dim: int, bias: bool) -> nn.Module:
        from trainable.networks import norms

        return norms.GainedRMSNorm(dim, self.eps)
