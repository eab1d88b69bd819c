"""The protocol between the loop and a model variant."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from trainable.component import Component


class Network(nn.Module):
    """What a model builds. ``head`` is None where the embedding table is the output matrix too (tied)."""

    embedding: nn.Embedding
    head: nn.Linear | None
    blocks: nn.ModuleList

    @property
    def vocab_size(self) -> int:
        """How many tokens there are. A network whose tables are padded to more rows says so itself."""
        return self.embedding.num_embeddings

    def hidden(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, time) to final hidden states (batch, time, dim)."""
        raise NotImplementedError

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden states to logits (batch, time, vocab), after any soft cap."""
        raise NotImplementedError

    def special_roles(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """Parameters that an optimizer may treat apart from those of their kind, by what they do in this network."""
        return {}

    def attention_outputs(self) -> list[tuple[Tensor, int]]:
        """The output projection (dim, heads * head_dim) of every attention module and its number of query heads.

        An attention module is one that has ``num_heads`` and ``proj``, a linear layer.
        """
        modules: list[Any] = [m for m in self.modules() if hasattr(m, "num_heads") and hasattr(m, "proj")]
        return [(m.proj.weight, m.num_heads) for m in modules]

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, time) to logits (batch, time, vocab)."""
        logits: Tensor = self.logits(self.hidden(tokens))
        return logits


@dataclass(frozen=True, kw_only=True)
class Model(Component):
    """A model variant: its knobs are fields, its verb is :meth:`build`."""

    kind: ClassVar[str] = "model"
    abstract: ClassVar[bool] = True

    @property
    def has_learned_positions(self) -> bool:
        """Whether places beyond the training length are untrained, so that nothing longer may be evaluated."""
        return False

    @abstractmethod
    def build(self, vocab_size: int, seq_len: int) -> Network:
        """The initialised network, on the CPU, drawn from torch's global generator (the loop seeds it)."""

    @abstractmethod
    def flops_per_token(self, vocab_size: int, seq_len: int) -> int:
        """Floating-point operations of one forward and backward pass, per token: 6 per matrix weight plus attention."""
