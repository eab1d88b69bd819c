"""Modules that parts share: what changes between steps, what sees documents, what does nothing, and the stem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from trainable.models.parts import Place, StemPart

if TYPE_CHECKING:  # a hook sees the network, and a network's parts see the step
    from trainable.hooks.hook import Step


class Live(nn.Module):
    """A module with something that changes between steps.

    Buffers that it could not write again from the step alone, or that evaluation uses, are persistent: a checkpoint has
    them.
    """

    def before_step(self, step: Step) -> None:
        """Write the buffers for this step, in place; ``step.generator`` is the only randomness allowed here."""
        raise NotImplementedError


class SeesDocuments(nn.Module):
    """A module that must not look across the start of a document; a run tells it which tokens stand there."""

    starts_document: Tensor  # bool (vocab,)

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.register_buffer("starts_document", torch.zeros(vocab_size, dtype=torch.bool), persistent=False)


class PassThrough(nn.Module):
    """Module of a part that has nothing to do."""

    def forward(self, x: Tensor, *_: Tensor) -> Tensor:
        return x


class Stem(nn.Module):
    """The stem's parts on one side of its norm, in order."""

    def __init__(self, parts: tuple[StemPart, ...], place: Place, after_norm: bool) -> None:
        super().__init__()
        self.parts = nn.ModuleList(p.build(place) for p in parts if p.after_norm == after_norm)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x, tokens)
        return x
