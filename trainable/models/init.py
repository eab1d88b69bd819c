"""Initialisations of matrices. What a model sets to zero (its output projections, an untied head) stays zero."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component
from trainable.ranges import Positive

if TYPE_CHECKING:
    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class Init(Component):
    """Initial values of the linear layers, set after all else is drawn."""

    kind: ClassVar[str] = "init"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def fill(self, network: Network) -> None:
        """Write the weights in place, drawing from torch's global generator."""


@dataclass(frozen=True, kw_only=True)
class UniformInit(Init):
    """Uniform in +-1/sqrt(inputs), as torch itself draws them: the baseline."""

    def fill(self, network: Network) -> None:
        """Leave the weights as they are drawn already."""


@dataclass(frozen=True, kw_only=True)
class OrthogonalInit(Init):
    """gain * Q with orthonormal rows (columns of tall ones), Q from a normal matrix (arXiv 1312.6120); gain 0.1..3.

    Of every linear layer that is not zero, as in parameter-golf records from 1.1586 on.
    """

    gain: Positive = 1.0

    def fill(self, network: Network) -> None:
        from torch import nn

        for module in network.modules():
            if isinstance(module, nn.Linear) and not module.weight.is_meta and module.weight.any():
                nn.init.orthogonal_(module.weight, self.gain)
