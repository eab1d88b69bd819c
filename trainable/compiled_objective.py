"""Objective of a run, cross-entropy and loss terms as one graph, compiled if asked."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from trainable import compile_cache
from trainable.compiled_evaluation import many_graphs, warm_up
from trainable.losses.chunked_cross_entropy import chunked_cross_entropy
from trainable.losses.loss_term import LossTerm, Outputs
from trainable.networks.network import Network
from trainable.objective import ObjectiveFunction, next_step
from trainable.run import Run


def build_objective(run: Run) -> ObjectiveFunction:
    """(inputs, targets, progress) -> (training loss, cross-entropy), compiled and warmed up outside the clock if asked.

    So is the evaluation then. The weights and numbers of the loss terms enter as tensors: no value needs a graph of its
    own.
    """
    terms, device = run.config.losses, run.runtime.device
    if run.runtime.compile:
        terms = tuple(with_tensors(term, device) for term in terms)
    chosen = objective_of(run.network, terms, run.config.loss_chunks, device)
    if not run.runtime.compile:
        return chosen
    compile_cache.share()
    started = time.perf_counter()
    compiled: ObjectiveFunction = torch.compile(chosen, fullgraph=True, dynamic=False)
    with many_graphs():
        next_step(run, compiled, 0.0)[0].recompute_gradients()
    warm_up(run)
    run.runtime.synchronize()
    run.compile_seconds += time.perf_counter() - started
    return compiled


def objective_of(network: Network, terms: Sequence[LossTerm], chunks: int, device: str) -> ObjectiveFunction:
    """The objective of a network, computed step by step; the cross-entropy in ``chunks`` where there are several."""
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
        loss = chunked_cross_entropy(network, network.hidden(inputs), targets, chunks)
        return loss, loss

    return objective if chunks == 1 else objective_in_pieces


def with_tensors(term: LossTerm, device: str) -> LossTerm:
    """A term whose numbers are tensors, for a graph; a neutral one stays as it is: it may have nothing to draw."""
    if term == type(term).neutral():
        return term
    changed = copy.copy(term)
    for name in term.tensors:  # past the checks of a frozen component, whose fields are no tensors elsewhere
        object.__setattr__(changed, name, torch.tensor(getattr(term, name), dtype=torch.float32, device=device))
    return changed
