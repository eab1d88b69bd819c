"""Computation of a step: its batch, and the gradients of the objective over its micro-batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from trainable.hooks.hook import Step
from trainable.run import Run
from trainable.seeds import for_torch

# (inputs, targets, progress) -> (loss, cross-entropy)
ObjectiveFunction = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

STEPS_APART = 1_000_003  # between the draws of neighbouring seeds


def next_step(run: Run, objective: ObjectiveFunction, progress: float) -> tuple[Step, int]:
    """The next batch with everything a hook may see, and the stream's position after it."""
    inputs, targets, position = run.batches.take(run.position)
    step = Step(
        network=run.network,
        index=run.spent.steps,
        progress=progress,
        multiplier=run.config.schedule(progress),
        generator=run.generator,
        inputs=inputs,
        targets=targets,
        gradients=partial(backward, run, objective),
    )
    return step, position


def backward(run: Run, objective: ObjectiveFunction, step: Step) -> Tensor:
    """Fill ``.grad`` with the gradient of the mean loss over micro-batches; returns the mean cross-entropy."""
    parts = run.config.data.grad_accum_steps
    for parameter in run.network.parameters():
        parameter.grad = None
    total = torch.zeros((), device=run.runtime.device)
    progress = torch.full((), step.progress, device=run.runtime.device)
    with torch.random.fork_rng(devices=run.runtime.generator_devices):
        # Draws inside the graph come from torch's own generator: seeded by the step, they need no checkpoint.
        torch.manual_seed((for_torch(run.config.seed) * STEPS_APART + step.index) % 2**63)
        for inputs, targets in zip(step.inputs.chunk(parts), step.targets.chunk(parts), strict=True):
            with run.runtime.autocast():
                loss, cross_entropy = objective(inputs, targets, progress)
            (loss / parts).backward()  # type: ignore[no-untyped-call]
            total += cross_entropy.detach() / parts
    return total
