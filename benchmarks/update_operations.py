"""Operations of one optimizer update, for each space's proxy base: ``python -m benchmarks.update_operations``.

Counted as torch dispatches them, views left out, with stacks of matrices taken whole as on an accelerator: about the
kernels that one launches there. An operation on a list of tensors counts once.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.update_operations")

from collections import Counter
from collections.abc import Callable, Sequence
from unittest import mock

import torch

import search_spaces
from terminal.command_line import OneLineParser
from terminal.console import Console
from trainable.config import TrainConfig
from trainable.optimizers import stack, update_rule
from tuner.plan.launches import Operations

VOCAB = 256  # of the networks that are counted on
SEQ_LEN = 64


def counted_in(call: Callable[[], None]) -> Counter[str]:
    """Count the operations of a call."""
    with Operations() as found:
        call()
    return found.counts


def update_counts(config: TrainConfig) -> Counter[str]:
    """Count the operations of the second update of a config's optimizer."""
    network = config.model.build(VOCAB, SEQ_LEN)
    groups = config.optimizer.groups_for(network, config.data.batch_tokens, config.schedule)
    for p in network.parameters():
        p.grad = torch.ones_like(p)
    with mock.patch.object(stack, "at_once", len):
        states = update_rule.start(groups)
        update_rule.update(groups, states, 1.0, 0)
        return counted_in(lambda: update_rule.update(groups, states, 1.0, 1, 0.5))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each space."""
    OneLineParser(prog="python -m benchmarks.update_operations", description=__doc__).parse_args(arguments)
    console = Console(goes_on=True)
    for name in search_spaces.names():
        counts = update_counts(search_spaces.load(name).scale("proxy").base)
        most = ", ".join(f"{number} {operation}" for operation, number in counts.most_common(4))
        console.print(f"{name:16}{counts.total():>6} operations: {most}")


if __name__ == "__main__":
    main()
