"""The protocol of hooks: the moments of a step at which a trick may act, and all that it may see.

Hooks run in the order of ``config.hooks``. One that is set by path is put where the published scripts have it
(``order.py``), a user's own behind all. They are frozen: each is handed its own dict, which
the loop owns and checkpoints, and the step's generator is the only randomness it may use, so that neutral stays
bit-identical.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from trainable.component import Component
from trainable.hooks.order import place

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from trainable.networks.network import Network

State = dict[str, Any]  # tensors, lists of tensors, numbers and strings


@dataclass
class Step:
    """One step as a hook sees it. ``inputs`` and ``targets`` may be replaced before the forward pass."""

    network: Network
    index: int  # steps done before this one
    progress: float  # spent part of the horizon, in [0, 1]
    multiplier: float  # the schedule's, for every group's rate, unless a hook has taken that over
    generator: torch.Generator
    inputs: Tensor  # (batch, time)
    targets: Tensor  # (batch, time)
    gradients: Callable[[Step], Tensor]  # forward and backward; without a hold on a step, which would be a cycle
    logged: dict[str, float | Tensor] = field(default_factory=dict)
    rate_factor: Tensor | None = None  # on the device, in place of the multiplier

    def take_over_rate(self, factor: Tensor) -> None:
        """Put a number that was computed in place of the multiplier: on a device it stays there."""
        if on_host(factor):
            self.multiplier = float(factor)
        else:
            self.rate_factor = factor

    def recompute_gradients(self) -> Tensor:
        """Forward and backward at the present weights; returns the loss."""
        return self.gradients(self)

    def log(self, name: str, value: float | Tensor) -> None:
        """Put a number into the report of this step, if it has one. A tensor stays on the device until then.

        It must not be one that later steps change in place.
        """
        self.logged[name] = value

    def numbers(self) -> dict[str, float]:
        """Return what was logged, as numbers of Python: tensors come in one transfer, which waits for the device."""
        tensors = {name: value.detach() for name, value in self.logged.items() if not isinstance(value, int | float)}
        if not tensors:
            return {name: float(value) for name, value in self.logged.items()}
        import torch

        read = torch.stack([value.double() for value in tensors.values()]).tolist()
        found = dict(zip(tensors, read, strict=True))
        return {name: found[name] if name in found else float(value) for name, value in self.logged.items()}

    def parameters(self) -> list[nn.Parameter]:
        return list(self.network.parameters())

    def tensors(self) -> list[nn.Parameter]:
        """Parameters of two or more dimensions: matrices, tables, mixes, skip weights (as the campaign chose)."""
        return [p for p in self.network.parameters() if p.ndim >= 2]

    def blocks(self) -> list[list[nn.Parameter]]:
        """The parameters of each block, in order of depth."""
        return parameters_of_blocks(self.network)


def on_host(number: Tensor) -> bool:
    """Tell whether the host has a tensor's numbers, so that it need not wait for them."""
    return number.device.type == "cpu"


def parameters_of_blocks(network: Network) -> list[list[nn.Parameter]]:
    """The parameters of each block, in order of depth; what blocks share is the first's, and a mere copy is none."""
    seen: set[int] = set()
    found: list[list[nn.Parameter]] = []
    for block in network.blocks:
        own = [p for p in block.parameters() if id(p) not in seen]
        seen.update(id(p) for p in own)
        found.append(own)
    return [own for own in found if own]


def gradient(parameter: nn.Parameter) -> Tensor:
    """Return a parameter's gradient, which each one has after backward."""
    assert parameter.grad is not None, "a parameter has no gradient"
    return parameter.grad


@dataclass(frozen=True, kw_only=True)
class Hook(Component):
    """A trick. Each method is a moment; a hook overrides those it needs."""

    kind: ClassVar[str] = "hook"
    abstract: ClassVar[bool] = True

    @classmethod
    def place_among(cls, others: Sequence[str]) -> int:
        return place(cls.__name__, others)

    def start(self, network: Network) -> State:
        """The state before the first step."""
        return {}

    def before_forward(self, step: Step, state: State) -> None:
        """The batch is there; inputs, targets and weights may change."""

    def after_backward(self, step: Step, state: State) -> None:
        """Gradients are there, summed over micro-batches; gradients and weights may change before the update."""

    def after_update(self, step: Step, state: State) -> None:
        """The optimizer has stepped; weights may change."""

    def clips(self, step: Step, state: State) -> Mapping[str, Tensor]:
        """Numbers for the curve, behind the update, of a hook that clips: ``clipped_share`` of the steps so far, or
        ``qk_clips.WHAT`` so far.
        """
        return {}

    def evaluation_weights(self, network: Network, state: State) -> Sequence[Tensor] | None:
        """Weights to evaluate and export instead, in the order of ``network.parameters()``; None leaves them alone."""
        return None
