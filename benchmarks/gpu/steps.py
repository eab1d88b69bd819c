"""Single steps of a run, and the distance between what two devices make of the same one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from benchmarks.gpu.figures import Figures, short
from trainable import train
from trainable.compiled_objective import build_objective
from trainable.objective import ObjectiveFunction, next_step
from trainable.run import Run

PROGRESS = 0.5  # of the run, where a single step is taken
NEGLIGIBLE = 1e-4  # of the norm of all tensors together


@torch.no_grad()
def shake(run: Run, seed: int = 0) -> None:
    """Add noise to every weight, the same on every device: many gradients are zero at the start."""
    draw = torch.Generator().manual_seed(seed)
    for p in run.network.parameters():
        p.add_((0.05 * torch.randn(p.shape, generator=draw)).to(p))


@torch.no_grad()
def copy_weights(source: Run, target: Run) -> None:
    """Give the target the source's weights, in its own precision."""
    for p, q in zip(target.network.parameters(), source.network.parameters(), strict=True):
        p.copy_(q)


def weights(run: Run) -> list[Tensor]:
    """Every weight in fp32 on the CPU, copied."""
    return [p.detach().float().cpu().clone() for p in run.network.parameters()]


def gradients_of(run: Run) -> tuple[float, list[Tensor]]:
    """The loss of the run's next batch, and the gradients of every weight in fp32 on the CPU."""
    step, _ = next_step(run, build_objective(run), PROGRESS)
    for module in run.live:
        module.before_step(step)
    loss = float(step.recompute_gradients())
    return loss, [_present(p.grad).float().cpu() for p in run.network.parameters()]


def _present(gradient: Tensor | None) -> Tensor:
    if gradient is None:
        raise ValueError("a weight has no gradient")
    return gradient


def apart(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Figures:
    """Relative distance over all tensors, and that of the worst one that is not negligible."""
    total = math.sqrt(_squares(wanted)) or 1.0
    of = [float((f.double() - w.double()).norm()) for f, w in zip(found, wanted, strict=True)]
    worst = max(
        (d / float(w.double().norm()) for d, w in zip(of, wanted, strict=True) if float(w.norm()) > NEGLIGIBLE * total),
        default=0.0,
    )
    return {"relative": short(math.hypot(*of) / total), "worst_tensor": short(worst)}


def _squares(tensors: Iterable[Tensor]) -> float:
    return sum(float(t.double().square().sum()) for t in tensors)


def whole_step(run: Run, objective: ObjectiveFunction | None = None) -> Callable[[], Tensor]:
    """A function that takes a whole step as ``train`` does, without its milestones; it returns the loss."""
    chosen = objective or build_objective(run)

    def go() -> Tensor:
        step, run.position = next_step(run, chosen, run.config.budget.fraction(run.spent))
        loss = train.take(run, step)
        run.account(loss)
        return loss

    return go
