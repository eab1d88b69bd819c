"""Cross-entropy in pieces, so that the logits of a batch are never in memory at once.

The same loss: each piece of the tokens makes its logits anew in the backward pass. Tried in nanochat: no time saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.networks.network import Network


def chunked_cross_entropy(network: Network, hidden: Tensor, targets: Tensor, chunks: int) -> Tensor:
    """Mean nats per token of hidden states (batch, time, dim) and targets (batch, time), in ``chunks`` pieces."""
    import torch
    import torch.nn.functional as F
    from torch.utils.checkpoint import checkpoint

    def nats(states: Tensor, words: Tensor) -> Tensor:
        return F.cross_entropy(network.logits(states[None])[0].float(), words, reduction="sum")

    total = torch.zeros((), device=hidden.device)
    for states, words in zip(hidden.flatten(0, 1).chunk(chunks), targets.flatten().chunk(chunks), strict=True):
        total = total + checkpoint(nats, states, words, use_reentrant=False, preserve_rng_state=False)
    return total / targets.numel()
