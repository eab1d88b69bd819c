"""nGPT's weight projection: matrices go back to unit rows (or columns) after the optimizer has moved them.

In the paper every vector as long as the residual stream has length 1: rows of what reads from the stream and of tables,
columns of what writes to it. The campaign took the last axis throughout, and did it lazily.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from terminal.nearest import rule_of_names

from trainable.hooks.hook import Hook, State, Step
from trainable.no_grad import no_grad
from trainable.ranges import Steps

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.networks.network import Network

EPS = 1e-8
SPHERE_AXES = ("embedding", "last")


@dataclass(frozen=True, kw_only=True)
class WeightProjection(Hook):
    """W /= |W| + 1e-8 along ``axis`` after the update of step s (from 0) if s % every_steps == 0; 0: after each.

    On tables and linear layers. What is called ``proj`` writes to the stream. There is no neutral setting.
    """

    every_steps: Steps = 0  # 500 steps at 7 are 72 projections; the campaign's lazy_proj_freq
    axis: str = "embedding"  # or last
    at_start: bool = True  # also before the first step; not so in the campaign

    def validate(self) -> None:
        rule = rule_of_names(self.axis, SPHERE_AXES)
        self.check(self.axis in SPHERE_AXES, "axis", rule)

    def start(self, network: Network) -> State:
        if self.at_start:
            self.project(network)
        return {"count": 0}

    def after_update(self, step: Step, state: State) -> None:
        if step.index % max(1, self.every_steps) == 0:
            self.project(step.network)
            state["count"] += 1
        step.log("projections", float(state["count"]))

    @no_grad
    def project(self, network: Network) -> None:
        import torch

        for weight, axis in sphere_axes(network, self.axis):
            wide = weight.float()
            weight.copy_(wide / (torch.linalg.vector_norm(wide, dim=axis, keepdim=True) + EPS))


def sphere_axes(network: Network, axis: str) -> list[tuple[Tensor, int]]:
    """Each table and matrix, a shared one once, with the axis along which its vectors lie on a sphere."""
    from torch import nn

    found: dict[int, tuple[Tensor, int]] = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            writes = axis == "embedding" and name.rpartition(".")[2] == "proj"
            found.setdefault(id(module.weight), (module.weight, 0 if writes else -1))
    return list(found.values())
