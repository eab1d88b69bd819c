"""Recording of a step in the run's curve: what is measured, and at which moment of the step.

Nothing here writes to weights, gradients or generators, or waits for the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainable.attention_probe import probed
from trainable.monitors import ATTENTION, CLIPS, LOGITS, UPDATES, WEIGHT_NORMS, Monitors

if TYPE_CHECKING:
    from trainable.hooks.hook import Step
    from trainable.run import Run


class StepRecording:
    """Recording of one step, from what its backward pass left to the weights behind it."""

    def __init__(self, run: Run, step: Step, loss: Tensor) -> None:
        """``loss`` is the mean cross-entropy of the step's batch; gradients are as backward left them."""
        self.run, self.step = run, step
        self.is_kept = run.curve.points.thinning.keeps_next
        self.monitors = run.monitors if run.curve.monitored.thinning.keeps_next else Monitors(())
        self.numbers: dict[str, Tensor | float] = {}
        self.monitored: dict[str, Tensor | float] = {}
        if self.is_kept:
            self.numbers |= {"loss": loss, "gradient_norm": gradient_norm(step)}

    @contextmanager
    def of_update(self) -> Iterator[None]:
        """Measure what the update rules change within the block."""
        if UPDATES not in self.monitors:
            yield
            return
        with torch.no_grad():
            before = [[p.clone() for p in group.parameters] for group in self.run.groups]
        yield
        with torch.no_grad():
            for group, was in zip(self.run.groups, before, strict=True):
                torch._foreach_sub_(was, list(group.parameters))
                self.monitored[f"update_norm.{group.name}"] = norm_of(was)

    def end(self) -> None:
        """Measure what hooks and the update have left, and put it all into the curve."""
        curve, number = self.run.curve, self.step.index + 1
        tokens = number * self.run.config.data.batch_tokens
        if self.is_kept:
            curve.points.put(number, tokens, self.numbers | learning_rates(self.run, self.step))
        if self.monitors.names:
            curve.monitored.put(number, tokens, self.monitored | self._behind_the_step())
        curve.count_step()

    def _behind_the_step(self) -> dict[str, Tensor]:
        run, found = self.run, dict[str, Tensor]()
        if WEIGHT_NORMS in self.monitors:
            found |= {f"weight_norm.{g.name}": norm_of([p.detach() for p in g.parameters]) for g in run.groups}
        if CLIPS in self.monitors:
            for hook in run.config.hooks:
                found |= hook.clips(self.step, run.hook_states[type(hook).__name__])
        if ATTENTION in self.monitors or LOGITS in self.monitors:
            found |= probed(run, self.monitors)
        return found


@torch.no_grad()
def norm_of(tensors: Sequence[Tensor]) -> Tensor:
    """The L2 norm of all tensors together, in float32."""
    whole = [t for t in tensors if t.dtype == torch.float32]
    norms = [*torch._foreach_norm(whole)] if whole else []
    norms += [torch.linalg.vector_norm(t, dtype=torch.float32) for t in tensors if t.dtype != torch.float32]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return norm


def gradient_norm(step: Step) -> Tensor:
    """The norm of the gradient of all parameters together, as it is before any clipping."""
    return norm_of([p.grad for p in step.network.parameters() if p.grad is not None])


def learning_rates(run: Run, step: Step) -> dict[str, Tensor | float]:
    """The rate of each parameter group: its base rate times the multiplier, the schedule's or that of a hook."""
    multiplier = step.multiplier if step.rate_factor is None else step.rate_factor
    return {f"learning_rate.{group.name}": group.lr * multiplier for group in run.groups}
