"""QK-clip as Kimi K2 has it (arXiv 2507.20534): heads whose largest attention logit passes a limit are shrunk.

The logits are those of the step's own forward pass, in its graph: the attention kernel of each layer is wrapped by one
that also keeps the maximum, at the price of a second q k^T. With QK-norm the clip changes no forward pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Part, Positive

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class QKLogitClip(Hook):
    """S_h = max over the batch of q.k / sqrt(d_k); after the update W_q *= g^balance and W_k *= g^(1-balance).

    g = min(1, tau / S_h), per head and layer; null is neutral. Where several heads read one key it stays, and W_q takes
    g. The report has the step's largest logit (``qk_max_logit``) and the heads clipped so far (``qk_logit_clips``).
    """

    tau: Positive | None = None  # Kimi K2: 100
    balance: Part = 0.5  # the query's share

    def start(self, network: Network) -> State:
        import torch

        from trainable.networks.causal_attention import MeasurableAttention
        from trainable.networks.logit_maximum import LogitMaximum

        device = network.embedding.weight.device
        if self.tau is not None:
            found = [m for m in network.modules() if isinstance(m, MeasurableAttention) and hasattr(m, "attend")]
            if not found:
                raise ValueError("hooks.QKLogitClip found no attention in this model whose logits it can see")
            for module in found:
                module.attend = LogitMaximum(module.attend, module.num_heads).to(device)
        return {"clips": torch.zeros((), dtype=torch.int64, device=device)}

    def before_forward(self, step: Step, state: State) -> None:
        from trainable.networks.logit_maximum import wrapped_attention

        for _, kernel in wrapped_attention(step.network):
            kernel.largest.zero_()

    @no_grad
    def after_update(self, step: Step, state: State) -> None:
        import torch

        from trainable.networks.logit_maximum import wrapped_attention

        largest = []
        for module, kernel in wrapped_attention(step.network):
            assert self.tau is not None  # or nothing would have been wrapped
            largest.append(kernel.largest.max())
            state["clips"] = state["clips"] + (kernel.largest > self.tau).sum()  # a new one: the last is logged
            module.shrink_logits(self.tau / kernel.largest.clamp(min=self.tau), self.balance)
        if largest:
            step.log("qk_max_logit", torch.stack(largest).max())
            step.log("qk_logit_clips", state["clips"])

    def clips(self, step: Step, state: State) -> Mapping[str, Tensor]:
        return {} if self.tau is None else {"qk_clips.heads": state["clips"]}

    @classmethod
    def neutral(cls) -> Self:
        return cls()

    @classmethod
    def example(cls) -> Self:
        return cls(tau=0.01)
