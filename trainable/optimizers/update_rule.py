"""The protocol of update rules and optimizers, and the only place that steps them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from trainable.component import Component
from trainable.no_grad import no_grad
from trainable.schedules.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trainable.networks.network import Network

RuleState = dict[str, Any]  # tensors, lists of tensors and numbers: what a checkpoint can hold


@dataclass(frozen=True, kw_only=True)
class UpdateRule(Component):
    """Rule by which gradients become updates. Frozen: what it remembers lives in the state that the loop owns."""

    kind: ClassVar[str] = "update rule"
    abstract: ClassVar[bool] = True
    driven: ClassVar[tuple[str, ...]] = ()  # the fields that a schedule which cycles the momentum sets

    @abstractmethod
    def start(self, parameters: Sequence[nn.Parameter]) -> RuleState:
        """The state before the first update."""

    @abstractmethod
    def update(self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int) -> None:
        """Change the parameters in place from their ``.grad``; ``step`` counts from 0."""

    def update_at(
        self, parameters: Sequence[nn.Parameter], state: RuleState, lr: float, step: int, progress: float
    ) -> None:
        """Update at ``progress`` in [0, 1] of the horizon, for a rule whose settings follow the run."""
        self.update(parameters, state, lr, step)

    def with_momentum(self, momentum: float) -> Self:
        """The same rule at another momentum (of Adam: beta1). A ValueError where it has none."""
        if not self.driven:
            raise ValueError(f"{type(self).__name__} has no momentum that a schedule could set")
        return replace(self, **dict.fromkeys(self.driven, momentum))


@dataclass(frozen=True)
class Group:
    """Parameters that share a rule and a base rate."""

    name: str
    parameters: tuple[nn.Parameter, ...]
    rule: UpdateRule
    lr: float


@dataclass(frozen=True, kw_only=True)
class Optimizer(Component):
    """Assignment of a rule and a rate to each role."""

    kind: ClassVar[str] = "optimizer"
    abstract: ClassVar[bool] = True

    @abstractmethod
    def groups(self, network: Network) -> list[Group]:
        """Every parameter of the network in exactly one group; empty groups are left out."""

    def groups_for(self, network: Network, batch_tokens: int, schedule: Schedule) -> list[Group]:
        """The groups in a whole run, for an optimizer whose rates follow the tokens a step or the schedule."""
        return self.groups(network)


def start(groups: Sequence[Group]) -> dict[str, RuleState]:
    """The state of every group before the first update."""
    names = [g.name for g in groups]
    assert len(set(names)) == len(names), f"two groups share a name: {names}"
    return {g.name: g.rule.start(g.parameters) for g in groups}


@no_grad
def update(
    groups: Sequence[Group],
    states: dict[str, RuleState],
    multiplier: float | Tensor,
    step: int,
    progress: float = 0.0,
    momentum: float | None = None,
) -> None:
    """One optimizer step: every group at its base rate times the multiplier, and at its momentum if any.

    Rates are numbers of the host. With a multiplier on the device the step is taken at 1, and what it has moved is then
    multiplied there, so that nobody waits: every rule is linear in its rate (test_every_update_rule.py).
    """
    if not isinstance(multiplier, int | float):
        with _moved_by(multiplier, [p for group in groups for p in group.parameters]):
            update(groups, states, 1.0, step, progress, momentum)
        return
    for group in groups:
        rule = group.rule if momentum is None else group.rule.with_momentum(momentum)
        rule.update_at(group.parameters, states[group.name], group.lr * multiplier, step, progress)


@contextmanager
def _moved_by(factor: Tensor, parameters: list[Tensor]) -> Iterator[None]:
    """Multiply by ``factor`` what moves the parameters within the block."""
    import torch

    before = [p.detach().clone() for p in parameters]
    yield
    torch._foreach_sub_(parameters, before)
    torch._foreach_mul_(parameters, factor)
    torch._foreach_add_(parameters, before)


def dtype_of_moments(parameter: Tensor) -> Any:
    """Type of what a rule remembers of a parameter: float32 for one in bfloat16, else the parameter's own.

    With eight significant bits a running mean stands still, as each of its small steps is rounded away.
    """
    import torch

    return torch.float32 if parameter.dtype == torch.bfloat16 else parameter.dtype


def gradients(parameters: Sequence[Tensor]) -> list[Tensor]:
    """The gradients; every parameter must have one, for a parameter that nothing reaches is a bug in the model."""
    found = [p.grad for p in parameters]
    assert all(g is not None for g in found), "a parameter has no gradient"
    return [g for g in found if g is not None]
