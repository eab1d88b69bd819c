"""Objective of a run, cross-entropy and loss terms as one graph, compiled if asked."""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F
from torch import Tensor

from trainable.losses.chunked_cross_entropy import chunked_cross_entropy
from trainable.losses.loss_term import Outputs
from trainable.objective import ObjectiveFunction, next_step
from trainable.run import Run

# torch keeps 8 graphs of one function and then fails; a process that trains many trials needs one for each structure.
GRAPHS = 1_000_000


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
