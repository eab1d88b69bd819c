"""The protocol between the loop and the network that a model builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Network(nn.Module):
    """Network that a model builds. ``head`` is None where the embedding table is the output matrix too (tied)."""

    embedding: nn.Embedding
    head: nn.Linear | None
    blocks: nn.ModuleList
    balances: Sequence[Tensor] = ()  # of the last training pass: each mixture's (mixture_of_experts.py)
    checkpoints_activations: bool = False  # keep a block's inputs for its backward pass, and compute the rest again

    @property
    def vocab_size(self) -> int:
        """Count the tokens of the vocabulary. A network whose tables are padded to more rows says so itself."""
        return self.embedding.num_embeddings

    def hidden(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, time) to final hidden states (batch, time, dim)."""
        raise NotImplementedError

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden states to logits (batch, time, vocab), after any soft cap."""
        raise NotImplementedError

    def call_block(self, block: nn.Module, *inputs: Any) -> Any:
        """Call a block as every network calls each of its blocks, so that its activations can be checkpointed.

        Activation checkpointing (arXiv 1604.06174): what the block computes on the way is forgotten after the forward
        pass and computed again, from the same random draws, in the backward pass. Same numbers, bit for bit on a CPU.
        """
        if not (self.checkpoints_activations and torch.is_grad_enabled()):
            return block(*inputs)
        return checkpoint(block, *inputs, use_reentrant=False)

    def special_roles(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """Parameters that an optimizer may treat apart from those of their kind, by what they do in this network."""
        return {}

    def keep_in_bf16(self, tables: Iterable[str]) -> None:
        """Bring lookup tables, named by their roles, to bfloat16; gradients then come in it too."""
        found = {**self.special_roles(), "embedding": [self.embedding.weight]}
        for parameter in (p for role in tables for p in found[role]):
            parameter.data = parameter.data.to(torch.bfloat16)

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
