"""Network as an evaluation calls it: compiled where the run's training step is, and warmed up before the clock runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trainable.compiled_blocks import compiled_whole, many_graphs
from trainable.evaluation.evaluate import batch_shape

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.evaluation.windows import Forward
    from trainable.networks.network import Network
    from trainable.run import Run


@contextmanager
def scoring(run: Run) -> Iterator[Forward]:
    """The network, tokens to logits: compiled if the run is, for a network in evaluation mode without gradients."""
    network = run.network
    if not run.runtime.compile:
        yield network
        return
    with many_graphs():
        yield scoring_by_blocks(network) if run.runtime.compile_blocks else scoring_whole(network)


@contextmanager
def as_it_stands(run: Run) -> Iterator[None]:
    """The network without a compiler within the block, for what trains it there."""
    import torch

    if not run.runtime.compile_blocks:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def scoring_whole(network: Network) -> Forward:
    """The network as one graph."""

    def forward(tokens: Tensor) -> Tensor:
        logits: Tensor = network(tokens)
        return logits

    return compiled_whole(forward)


def scoring_by_blocks(network: Network) -> Forward:
    """The network, whose blocks are compiled, with what makes logits of their outputs as another graph."""

    def logits_of(hidden: Tensor) -> Tensor:
        return network.logits(hidden)

    head = compiled_whole(logits_of)
    return lambda tokens: head(network.hidden(tokens))


def warm_up(run: Run) -> None:
    """Compile the evaluation that reports on the way need, by one batch of it."""
    import torch

    shape = batch_shape(run.dataset, run.config.evaluation.plain, run.runtime.device)
    run.network.eval()
    with torch.no_grad(), run.runtime.autocast(), scoring(run) as forward:
        forward(torch.zeros(shape, dtype=torch.int64, device=run.runtime.device))
    run.network.train()
