"""Computation of a step: its batch, and the gradients of the objective over its micro-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from trainable.cuda_graph import Recording, ReplayedPass, record_on_cuda
from trainable.hooks.hook import Step
from trainable.run import Run
from trainable.seeds import for_torch, manual_seed

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
    progress = torch.full((), step.progress, device=run.runtime.device)
    replayed = run.replayed_pass
    with drawing(run, step.index):
        if replayed is not None and replayed.takes(step.inputs):
            return replayed(step.inputs, step.targets, progress)
        return over_micro_batches(run, objective, step.inputs, step.targets, progress)


@contextmanager
def drawing(run: Run, index: int) -> Iterator[None]:
    """Seed torch's own generators by the step: what is drawn inside the graph within the block needs no checkpoint."""
    with torch.random.fork_rng(devices=run.runtime.generator_devices):
        manual_seed((for_torch(run.config.seed) * STEPS_APART + index) % 2**63)
        yield


def over_micro_batches(
    run: Run, objective: ObjectiveFunction, inputs: Tensor, targets: Tensor, progress: Tensor
) -> Tensor:
    """Add up the gradients of a batch's parts in ``.grad``, from none; returns the mean cross-entropy."""
    parts = run.config.data.grad_accum_steps
    for parameter in run.network.parameters():
        parameter.grad = None
    total = torch.zeros((), device=run.runtime.device)
    for part, wanted in zip(inputs.chunk(parts), targets.chunk(parts), strict=True):
        with run.runtime.autocast():
            loss, cross_entropy = objective(part, wanted, progress)
        (loss / parts).backward()  # type: ignore[no-untyped-call]
        total += cross_entropy.detach() / parts
    return total


def record_pass(run: Run, objective: ObjectiveFunction, record: Recording = record_on_cuda) -> None:
    """Let a run's forward and backward passes be replays of one that is recorded here, on its next batch's shape."""
    run.replayed_pass = None
    inputs, _, _ = run.batches.take(run.position)
    with drawing(run, run.spent.steps):
        run.replayed_pass = ReplayedPass(
            run.network.parameters(), partial(over_micro_batches, run, objective), inputs, record
        )
