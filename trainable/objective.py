"""Computation of a step: its batch, the objective (cross-entropy and loss terms as one graph), and the gradients."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from trainable.data.dataset import batch
from trainable.hooks.hook import Step
from trainable.losses.chunked_cross_entropy import chunked_cross_entropy
from trainable.losses.loss_term import Outputs
from trainable.run import Run
from trainable.seeds import for_torch

# (inputs, targets, progress) -> (loss, cross-entropy)
ObjectiveFunction = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

# torch keeps 8 graphs of one function and then fails; a process that trains many trials needs one for each structure.
GRAPHS = 1_000_000
STEPS_APART = 1_000_003  # between the draws of neighbouring seeds


def build_objective(run: Run) -> ObjectiveFunction:
    """(inputs, targets, progress) -> (training loss, cross-entropy), compiled and warmed up outside the clock if asked.

    The weights of the loss terms enter as a tensor, so that no value of theirs needs a graph of its own.
    """
    network, terms, device = run.network, run.config.losses, run.runtime.device
    weights = torch.tensor([t.weight for t in terms], device=device)

    def objective(inputs: Tensor, targets: Tensor, progress: Tensor) -> tuple[Tensor, Tensor]:
        hidden = network.hidden(inputs)
        logits = network.logits(hidden).float()
        cross_entropy = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        outputs, loss = Outputs(network, hidden, logits, targets, cross_entropy, progress), cross_entropy
        for i, term in enumerate(terms):
            loss = loss + weights[i] * term(outputs)
        return loss, cross_entropy

    def objective_in_pieces(inputs: Tensor, targets: Tensor, progress: Tensor) -> tuple[Tensor, Tensor]:
        loss = chunked_cross_entropy(network, network.hidden(inputs), targets, run.config.loss_chunks)
        return loss, loss

    chosen = objective if run.config.loss_chunks == 1 else objective_in_pieces
    if not run.runtime.compile:
        return chosen
    from torch._dynamo import config as dynamo  # takes a second to load, which only those who compile have to spend

    started = time.perf_counter()
    compiled: ObjectiveFunction = torch.compile(chosen, fullgraph=True, dynamic=False)
    with dynamo.patch(recompile_limit=GRAPHS, accumulated_recompile_limit=GRAPHS):
        next_step(run, compiled, 0.0)[0].recompute_gradients()
    run.runtime.synchronize()
    run.compile_seconds += time.perf_counter() - started
    return compiled


def next_step(run: Run, objective: ObjectiveFunction, progress: float) -> tuple[Step, int]:
    """The next batch with everything a hook may see, and the stream's position after it."""
    config, device = run.config, run.runtime.device
    inputs, targets, position = batch(run.dataset.train, run.position, config.data, config.seed)
    step = Step(
        network=run.network,
        index=run.spent.steps,
        progress=progress,
        multiplier=config.schedule(progress),
        generator=run.generator,
        inputs=inputs.to(device, non_blocking=True),
        targets=targets.to(device, non_blocking=True),
        recompute_gradients=lambda: backward(run, step, objective),
    )
    return step, position


def backward(run: Run, step: Step, objective: ObjectiveFunction) -> Tensor:
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
