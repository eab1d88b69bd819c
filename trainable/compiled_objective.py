"""Objective of a run, cross-entropy and loss terms as one graph, compiled if asked."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from trainable import compile_cache
from trainable.compiled_blocks import compile_blocks, compiled_whole, many_graphs, with_many_graphs
from trainable.compiled_evaluation import warm_up
from trainable.losses.chunked_cross_entropy import chunked_cross_entropy
from trainable.losses.loss_term import LossTerm, Outputs
from trainable.networks.network import Network
from trainable.objective import ObjectiveFunction, next_step, record_pass
from trainable.run import Run

Score = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]  # (hidden states, targets, progress) -> both losses


def build_objective(run: Run) -> ObjectiveFunction:
    """(inputs, targets, progress) -> (training loss, cross-entropy), compiled and warmed up outside the clock if asked.

    So is the evaluation then, and the recording of a CUDA graph. The weights and numbers of the loss terms enter as
    tensors: no value needs a graph of its own.
    """
    terms, device = run.config.losses, run.runtime.device
    if run.runtime.compile:
        terms = tuple(with_tensors(term, device) for term in terms)
    if not (run.runtime.compile or run.runtime.cuda_graphs):
        return _objective(run, terms)
    started = time.perf_counter()
    chosen = _compiled(run, terms) if run.runtime.compile else _objective(run, terms)
    if run.runtime.cuda_graphs:
        record_pass(run, chosen)
    run.runtime.synchronize()
    run.compile_seconds += time.perf_counter() - started
    return chosen


def _compiled(run: Run, terms: Sequence[LossTerm]) -> ObjectiveFunction:
    compile_cache.share()
    compiled: ObjectiveFunction
    if run.runtime.compile_blocks:
        compile_blocks(run.network)
        compiled = with_many_graphs(_objective(run, terms, compiled_whole))
    else:
        compiled = compiled_whole(_objective(run, terms))
    with many_graphs():
        next_step(run, compiled, 0.0)[0].recompute_gradients()
    warm_up(run)
    return compiled


def _objective(
    run: Run, terms: Sequence[LossTerm], compiler: Callable[[Score], Score] | None = None
) -> ObjectiveFunction:
    return objective_of(run.network, terms, run.config.loss_chunks, run.runtime.device, compiler)


def objective_of(
    network: Network,
    terms: Sequence[LossTerm],
    chunks: int,
    device: str,
    compiler: Callable[[Score], Score] | None = None,
) -> ObjectiveFunction:
    """The objective of a network, computed step by step; the cross-entropy in ``chunks`` where there are several.

    A ``compiler`` is given what comes after the blocks.
    """
    weights = torch.tensor([t.weight for t in terms], device=device)

    def score(hidden: Tensor, targets: Tensor, progress: Tensor) -> tuple[Tensor, Tensor]:
        logits = network.logits(hidden).float()
        cross_entropy = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        outputs, loss = Outputs(network, hidden, logits, targets, cross_entropy, progress), cross_entropy
        for i, term in enumerate(terms):
            loss = loss + weights[i] * term(outputs)
        return loss, cross_entropy

    def score_in_pieces(hidden: Tensor, targets: Tensor, progress: Tensor) -> tuple[Tensor, Tensor]:
        loss = chunked_cross_entropy(network, hidden, targets, chunks)
        return loss, loss

    chosen = score if chunks == 1 else score_in_pieces
    after_blocks = chosen if compiler is None else compiler(chosen)

    def objective(inputs: Tensor, targets: Tensor, progress: Tensor) -> tuple[Tensor, Tensor]:
        return after_blocks(network.hidden(inputs), targets, progress)

    return objective


def with_tensors(term: LossTerm, device: str) -> LossTerm:
    """A term whose numbers are tensors, for a graph; a neutral one stays as it is: it may have nothing to draw."""
    if term == type(term).neutral():
        return term
    changed = copy.copy(term)
    for name in term.tensors:  # past the checks of a frozen component, whose fields are no tensors elsewhere
        object.__setattr__(changed, name, torch.tensor(getattr(term, name), dtype=torch.float32, device=device))
    return changed
