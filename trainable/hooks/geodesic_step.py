"""Geodesic step: the optimizer moves each row along its sphere, at the length that it has. Left for later by nGPT.

With Muon on the matrices it is the geodesic Muon that the 20 rounds' document proposes. Its repository tried one since
(6.4607 against 6.4135 of projected steps): W cos(lr) + U sin(lr), with no regard to which part of U lies along W, and
with another sign than its plain step, W - lr U. Here the sphere's exponential map is taken of the step itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from terminal.nearest import rule_of_names

from trainable.hooks.hook import Hook, State, Step
from trainable.hooks.weight_projection import SPHERE_AXES, sphere_axes
from trainable.no_grad import no_grad

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class GeodesicStep(Hook):
    """The step D of each vector w along ``axis`` becomes w cos(|t| / |w|) + |w| t / |t| sin(|t| / |w|) - w.

    t is the part of D across w: what lies along w, of a weight decay too, is lost, and |w| stays. Of tables and linear
    layers, as the axes of ``WeightProjection``; a vector of zeros takes its step as it is. Around the update; null is
    neutral.
    """

    axis: str | None = None  # embedding or last

    def validate(self) -> None:
        rule = f"null or {rule_of_names(self.axis, SPHERE_AXES)}"
        self.check(self.axis in (None, *SPHERE_AXES), "axis", rule)

    def after_backward(self, step: Step, state: State) -> None:
        if self.axis is not None:
            state["before"] = [w.detach().clone() for w, _ in sphere_axes(step.network, self.axis)]

    @no_grad
    def after_update(self, step: Step, state: State) -> None:
        if self.axis is None:
            return
        moved = sphere_axes(step.network, self.axis)
        for (weight, axis), before in zip(moved, state.pop("before"), strict=True):
            weight.copy_(along_sphere(before.float(), weight.float() - before.float(), axis))

    @classmethod
    def neutral(cls) -> Self:
        return cls(axis=None)

    @classmethod
    def example(cls) -> Self:
        return cls(axis="last")


def along_sphere(w: Tensor, step: Tensor, axis: int) -> Tensor:
    """Points that are reached from ``w`` by a step along the spheres of its vectors: the exponential map."""
    import math

    import torch

    length = torch.linalg.vector_norm(w, dim=axis, keepdim=True)
    radius = length.where(length > 0, 1.0)
    across = step - w * ((w * step).sum(axis, keepdim=True) / radius.square())
    angle = torch.linalg.vector_norm(across, dim=axis, keepdim=True) / radius
    reached = w * angle.cos() + across * torch.sinc(angle / math.pi)  # sin(angle) / angle, which is 1 at 0
    return torch.where(length > 0, reached, w + step)
