"""Parts that a model takes any number of: at the stem, around a block, behind attention. And how a part lives in time.

A part is a frozen component; its verb builds the module that sits in the network. What a module needs to change during
training are buffers that it writes in ``before_step``, outside the graph: to a compiled graph they are just inputs, so
one graph serves the whole run.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from trainable.component import Component

if TYPE_CHECKING:  # a hook sees the network, and a network's parts see the step
    from trainable.hooks.hook import Step


class Live(nn.Module):
    """A module with something that changes between steps."""

    def before_step(self, step: Step) -> None:
        """Write the buffers for this step, in place; ``step.generator`` is the only randomness allowed here."""
        raise NotImplementedError


@dataclass(frozen=True)
class Place:
    """Where in a network a part is built."""

    index: int  # of the block; 0 at the stem
    num_layers: int
    dim: int
    num_heads: int
    num_kv_heads: int
    vocab_size: int


@dataclass(frozen=True, kw_only=True)
class StemPart(Component):
    """Changes the embedded tokens, before or after the stem's norm."""

    kind: ClassVar[str] = "stem part"
    abstract: ClassVar[bool] = True
    after_norm: ClassVar[bool] = False

    @abstractmethod
    def build(self, place: Place) -> nn.Module:
        """A module (x, tokens) -> x; x is (batch, time, dim), tokens are (batch, time)."""


@dataclass(frozen=True, kw_only=True)
class LayerPart(Component):
    """Wraps every block."""

    kind: ClassVar[str] = "layer part"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def wrap(self, block: nn.Module, place: Place) -> nn.Module:
        """A module that is called as a block is: (x, x0, rotation) -> x; the block itself where nothing is to be done."""


@dataclass(frozen=True, kw_only=True)
class AttentionPart(Component):
    """Changes what the heads put out, before the projection."""

    kind: ClassVar[str] = "attention part"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def build(self, place: Place) -> nn.Module:
        """A module (y, v, x) -> y; y is (batch, time, heads, head_dim), v has the key/value heads, x is the input."""


class Stem(nn.Module):
    """The stem's parts on one side of its norm, in order."""

    def __init__(self, parts: tuple[StemPart, ...], place: Place, after_norm: bool) -> None:
        super().__init__()
        self.parts = nn.ModuleList(p.build(place) for p in parts if p.after_norm == after_norm)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x, tokens)
        return x
