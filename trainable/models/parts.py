"""Parts that a model takes any number of: at the stem, around a block, behind attention. And how a part lives in time.

A part is a frozen component; its verb builds the module that sits in the network. What a module needs to change during
training are buffers that it writes in ``before_step``, outside the graph: to a compiled graph they are just inputs, so
one graph serves the whole run. Numbers of the config are buffers too, so that no value needs a graph of its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainable.component import Component

if TYPE_CHECKING:  # a hook sees the network, and a network's parts see the step
    from torch import nn


@dataclass(frozen=True)
class Place:
    """Place in a network at which a part is built."""

    index: int  # of the block; 0 at the stem
    num_layers: int
    dim: int
    num_heads: int
    num_kv_heads: int
    vocab_size: int


@dataclass(frozen=True, kw_only=True)
class ModelPart(Component):
    """Base of the three kinds of parts."""

    abstract: ClassVar[bool] = True

    def check_fit(self, num_layers: int, num_heads: int) -> None:
        """Raise a ValueError where the part does not fit a model of this size."""


@dataclass(frozen=True, kw_only=True)
class StemPart(ModelPart):
    """Changes the embedded tokens, before or after the stem's norm."""

    kind: ClassVar[str] = "stem part"
    abstract: ClassVar[bool] = True
    after_norm: ClassVar[bool] = False

    @abstractmethod
    def build(self, place: Place) -> nn.Module:
        """A module (x, tokens) -> x; x is (batch, time, dim), tokens are (batch, time)."""

    def num_matrix_weights(self, dim: int) -> int:
        """Weights that take part in matrix products."""
        return 0


@dataclass(frozen=True, kw_only=True)
class LayerPart(ModelPart):
    """Changes layers: what is inside a block, around it, or how often it runs. A part overrides the verbs it needs."""

    kind: ClassVar[str] = "layer part"
    abstract: ClassVar[bool] = True

    def wrap_sublayer(self, sublayer: nn.Module, place: Place) -> nn.Module:
        """The attention or the MLP of a block, called (normalised x, ...) -> what is added to the residual stream."""
        return sublayer

    def wrap(self, block: nn.Module, place: Place) -> nn.Module:
        """A module that is called as a block is: (x, x0, rotation) -> x."""
        return block

    def wrap_all(self, blocks: Sequence[nn.Module], places: Sequence[Place]) -> list[nn.Module]:
        """All blocks in order of depth, wrapped."""
        return [self.wrap(block, place) for block, place in zip(blocks, places, strict=True)]

    def attention_times(self) -> int:
        """Return how often a block attends."""
        return 1

    def passes(self, index: int) -> int:
        """Return how often block ``index`` runs in a forward pass."""
        return 1


@dataclass(frozen=True, kw_only=True)
class AttentionPart(ModelPart):
    """Changes what the heads put out, before the projection."""

    kind: ClassVar[str] = "attention part"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def build(self, place: Place) -> nn.Module:
        """A module (y, v, x) -> y; y is (batch, time, heads, head_dim), v has the key/value heads, x is the input."""

    def num_matrix_weights(self, dim: int) -> int:
        """Weights of a layer that take part in matrix products."""
        return 0


def check_parts(field: str, parts: Sequence[ModelPart], num_layers: int, num_heads: int) -> None:
    """Raise a ValueError where a part stands twice in a field or does not fit a model of this size."""
    names = [type(p).__name__ for p in parts]
    if len(set(names)) < len(names):
        raise ValueError(f"{field} has {max(names, key=names.count)} twice; a trick stands in a config once")
    for part in parts:
        part.check_fit(num_layers, num_heads)
