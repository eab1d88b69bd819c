"""Operations of a training step, which a CPU gives a GPU one by one: a floor of the step's time, however small it is.

They are counted as torch dispatches them, on tensors without content: about the kernels that are launched (golf's nine
layers: 1,243 operations a micro-batch, 1,308 kernels on an H200). The seconds of each are those of one host, so a plan
that has them is an estimate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from trainable.config import TrainConfig
from trainable.optimizers import update_rule
from tuner.plan.bench import vocab_size


@dataclass(frozen=True)
class HostSeconds:
    """Seconds that a host takes for an operation of the passes, one of the update, and a step's remaining work."""

    operation: float
    update_operation: float
    step: float


# Of the one host that has been measured (golf's proxy, whose kernels keep an H200 busy for 4 % of a step): a
# micro-batch's passes took 30.572 ms of 40.51 a step eager and 20.336 of 33.34 compiled, an update 3.122 and 3.954.
MEASURED_IN = "docs/gpu/nvidia_h200.md"
EAGER = HostSeconds(operation=24.6e-6, update_operation=38.1e-6, step=6.82e-3)
COMPILED = HostSeconds(operation=16.4e-6, update_operation=48.2e-6, step=9.05e-3)


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations by name while it is entered, views left out; one on a list of tensors counts once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), keywords: dict[str, Any] | None = None
    ) -> Any:
        if not function.is_view and function.namespace != "prim":  # which asks for a tensor's device, say
            self.counts[function.overloadpacket.__name__] += 1
        return function(*arguments, **(keywords or {}))


@dataclass(frozen=True)
class Launches:
    """Operations of a model: of a forward pass, of both passes of a micro-batch, and of an update."""

    forward: int
    passes: int
    update: int


@dataclass(frozen=True)
class Launching:
    """The operations of a model on a host, which takes so long for them."""

    launches: Launches
    host: HostSeconds

    def in_step(self, config: TrainConfig) -> int:
        """Count the operations of a step of ``config``, which may have other micro-batches than what was counted."""
        return config.data.grad_accum_steps * self.launches.passes + self.launches.update

    def step_seconds(self, config: TrainConfig) -> float:
        """Return the seconds in which the host has launched a step of ``config``."""
        passes = config.data.grad_accum_steps * self.launches.passes * self.host.operation
        return passes + self.launches.update * self.host.update_operation + self.host.step

    @property
    def pass_seconds(self) -> float:
        """Return the seconds in which it has launched a forward pass, as an evaluation has them."""
        return self.launches.forward * self.host.operation


@lru_cache(maxsize=16)
def launches(config: TrainConfig) -> Launches:
    """Count the operations of a step of ``config``; nothing is computed or allocated."""
    vocab = vocab_size(config)
    with torch.random.fork_rng(devices=[]):
        with FakeTensorMode():
            network = config.model.build(vocab, config.longest_row)
            tokens = torch.zeros((1, config.data.seq_len), dtype=torch.int64)
            with Operations() as forward, torch.autocast("cpu", torch.bfloat16):
                logits = network(tokens).float()
            with Operations() as backward:
                F.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()  # type: ignore[no-untyped-call]
        with torch.device("meta"):  # where an update takes stacks of matrices whole, as an accelerator does
            update = _update(config, vocab)
    first = forward.counts.total()
    return Launches(first, first + backward.counts.total(), update)


def _update(config: TrainConfig, vocab: int) -> int:
    """Count the operations of the second update: the first also makes what later ones keep."""
    network = config.model.build(vocab, config.longest_row)
    for parameter in network.parameters():
        parameter.grad = torch.empty_like(parameter)
    groups = config.optimizer.groups_for(network, config.data.batch_tokens, config.schedule)
    states, momentum = update_rule.start(groups), config.schedule.momentum(0.0)
    update_rule.update(groups, states, 1.0, 0, 0.0, momentum)
    with Operations() as found:
        update_rule.update(groups, states, 1.0, 1, 0.0, momentum)
    return int(found.counts.total())
