"""Network as an evaluation calls it: compiled where the run's training step is, and warmed up before the clock runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trainable.evaluation.evaluate import batch_shape

if TYPE_CHECKING:
    from torch import Tensor

    from trainable.evaluation.windows import Forward
    from trainable.run import Run

# torch keeps 8 graphs of one function and then fails; a process that trains many trials needs one for each structure.
GRAPHS = 1_000_000


@contextmanager
def many_graphs() -> Iterator[None]:
    """Keep the graphs of all trials of this process, for what is compiled inside the block."""
    from torch._dynamo import config as dynamo  # takes a second to load, which only those who compile have to spend

    with dynamo.patch(recompile_limit=GRAPHS, accumulated_recompile_limit=GRAPHS):
        yield


@contextmanager
def scoring(run: Run) -> Iterator[Forward]:
    """The network, tokens to logits: compiled if the run is, for a network in evaluation mode without gradients."""
    network = run.network
    if not run.runtime.compile:
        yield network
        return
    import torch

    def forward(tokens: Tensor) -> Tensor:
        logits: Tensor = network(tokens)
        return logits

    compiled: Forward = torch.compile(forward, fullgraph=True, dynamic=False)
    with many_graphs():
        yield compiled


def warm_up(run: Run) -> None:
    """Compile the evaluation that reports on the way need, by one batch of it."""
    import torch

    shape = batch_shape(run.dataset, run.config.evaluation.plain, run.runtime.device)
    run.network.eval()
    with torch.no_grad(), run.runtime.autocast(), scoring(run) as forward:
        forward(torch.zeros(shape, dtype=torch.int64, device=run.runtime.device))
    run.network.train()
