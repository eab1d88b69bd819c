"""The nanochat campaign's "MuonClip": query and key matrices are shrunk when their weights are large.

No logits are measured. The estimate, ||W||_F / sqrt(min(rows, columns)), is the RMS singular value: a lower bound of
the spectral norm. Where queries and keys are normalised it cannot change a forward pass: it shrinks weights whose scale
does not matter, which raises their relative rate. ``qk_logit_clip.py`` is what Kimi K2 did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Positive

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainable.networks.network import Network


@dataclass(frozen=True, kw_only=True)
class QKWeightClip(Hook):
    """After each update, of every whole W_q and W_k: W *= min(1, sqrt(tau) / estimate); null is neutral.

    A fresh nanochat has an estimate of about 1, so tau 50 to 200 fires at 7 to 14 times that. The report counts the
    matrices clipped since the start in ``qk_weight_clips``.
    """

    tau: Positive | None = None

    def start(self, network: Network) -> State:
        import torch

        if self.tau is not None and not query_key_weights(network):
            raise ValueError("hooks.QKWeightClip found no query and key matrices of their own in this model")
        return {"clips": torch.zeros((), dtype=torch.int64, device=network.embedding.weight.device)}

    @no_grad
    def after_update(self, step: Step, state: State) -> None:
        import torch

        if self.tau is None:
            return
        for weight in query_key_weights(step.network):
            estimate = torch.linalg.matrix_norm(weight) / min(weight.shape) ** 0.5
            state["clips"] = state["clips"] + (estimate > self.tau**0.5)  # a new one: the last is logged
            weight.mul_((self.tau**0.5 / estimate).clamp(max=1.0))
        step.log("qk_weight_clips", state["clips"])

    def clips(self, step: Step, state: State) -> Mapping[str, Tensor]:
        return {} if self.tau is None else {"qk_clips.matrices": state["clips"]}

    @classmethod
    def neutral(cls) -> Self:
        return cls()

    @classmethod
    def example(cls) -> Self:
        return cls(tau=0.01)


def query_key_weights(network: Network) -> list[nn.Parameter]:
    """The W_q and W_k of every attention module that has them as layers ``q`` and ``k``."""
    from torch import nn

    found: dict[int, nn.Parameter] = {}  # by identity, since layers may share their weights
    for module in network.modules():
        q, k = getattr(module, "q", None), getattr(module, "k", None)
        if isinstance(q, nn.Linear) and isinstance(k, nn.Linear):
            weights: tuple[Any, ...] = (q.weight, k.weight)
            found |= {id(w): w for w in weights}
    return list(found.values())
