"""QK-clip as Kimi K2 has it (arXiv 2507.20534): heads whose largest attention logit passes a limit are shrunk.

The logits are those of the step's own forward pass, in its graph: the attention kernel of each layer is wrapped by one
that also keeps the maximum, at the price of a second q k^T. With QK-norm the clip changes no forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from trainable.hooks.hook import Hook, State, Step
from trainable.models.causal_attention import CausalAttention, MeasurableAttention
from trainable.models.model import Network
from trainable.ranges import Part, Positive


@dataclass(frozen=True, kw_only=True)
class QKLogitClip(Hook):
    """S_h = max over the batch of q.k / sqrt(d_k); after the update W_q *= g^balance and W_k *= g^(1-balance).

    g = min(1, tau / S_h), per head and layer; null is neutral. Where several heads read one key it stays, and W_q takes
    g. The report has the step's largest logit (``qk_max_logit``) and the heads clipped so far (``qk_logit_clips``).
    """

    tau: Positive | None = None  # Kimi K2: 100
    balance: Part = 0.5  # the query's share

    def start(self, network: Network) -> State:
        device = network.embedding.weight.device
        if self.tau is not None:
            found = [m for m in network.modules() if isinstance(m, MeasurableAttention) and hasattr(m, "attend")]
            if not found:
                raise ValueError("hooks.QKLogitClip found no attention in this model whose logits it can see")
            for module in found:
                module.attend = LogitMaximum(module.attend, module.num_heads).to(device)
        return {"clips": torch.zeros((), dtype=torch.int64, device=device)}

    def before_forward(self, step: Step, state: State) -> None:
        for _, kernel in measured(step.network):
            kernel.largest.zero_()

    @torch.no_grad()
    def after_update(self, step: Step, state: State) -> None:
        largest = []
        for module, kernel in measured(step.network):
            assert self.tau is not None  # or nothing would have been wrapped
            largest.append(kernel.largest.max())
            state["clips"] += (kernel.largest > self.tau).sum()
            module.shrink_logits(self.tau / kernel.largest.clamp(min=self.tau), self.balance)
        if largest:
            step.log("qk_max_logit", float(torch.stack(largest).max()))
            step.log("qk_logit_clips", float(state["clips"]))

    @classmethod
    def neutral(cls) -> Self:
        return cls()

    @classmethod
    def example(cls) -> Self:
        return cls(tau=0.01)


def measured(network: Network) -> list[tuple[MeasurableAttention, LogitMaximum]]:
    """Attention modules whose kernel is wrapped, each with its wrapper."""
    found = []
    for module in network.modules():
        kernel = getattr(module, "attend", None)
        if isinstance(module, MeasurableAttention) and isinstance(kernel, LogitMaximum):
            found.append((module, kernel))
    return found


class LogitMaximum(CausalAttention):
    """A kernel that in training also keeps the largest logit of each head since it was last set to 0."""

    largest: Tensor  # (heads,)

    def __init__(self, kernel: CausalAttention, num_heads: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.register_buffer("largest", torch.zeros(num_heads), persistent=False)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if self.training:
            with torch.no_grad():
                self.largest.copy_(torch.maximum(self.largest, self.found(q, k)))
        out: Tensor = self.kernel(q, k, v)
        return out

    def found(self, q: Tensor, k: Tensor) -> Tensor:
        """Largest logit of each query head over batch and the pairs that the kernel attends to."""
        k = k.repeat_interleave(q.size(2) // k.size(2), dim=2)
        logits = torch.einsum("bqhd,bkhd->hbqk", q, k).float() / q.size(-1) ** 0.5
        seen: Tensor = self.kernel.seen(q.size(1), q.device)
        largest: Tensor = logits.masked_fill(~seen, -torch.inf).amax((1, 2, 3))
        return largest
