"""Memory of one micro-batch, counted tensor by tensor while the real code runs on tensors that hold nothing.

Every operation of the forward and backward pass runs under torch's FakeTensorMode: shapes and types are worked out,
nothing is computed or allocated. So the count knows what a rule of thumb does not: copies in float32 for a soft cap,
masks, a model's own parts, loss terms, chunks, what autocast casts, and what lives only for a moment.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from trainable.compiled_objective import objective_of
from trainable.config import TrainConfig
from trainable.networks.network import Network
from trainable.networks.plain_formulas import plain_formulas
from trainable.optimizers import update_rule
from trainable.runtime import BF16


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the storages that are alive, and the most that were at a time.

    Source: the same bookkeeping as torch.distributed's MemTracker, for one device and without its attribution.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live, self.peak = 0, 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for each in tree_iter(found):
            if isinstance(each, Tensor):
                self.see(each)
        return found

    def see(self, tensor: Tensor) -> None:
        """Count a tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        name = storage._cdata
        if name in self._seen:
            return
        size = storage.nbytes()
        self._seen.add(name)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._free, name, size)

    def _free(self, name: int, size: int) -> None:
        self._seen.discard(name)
        self.live -= size


@dataclass(frozen=True)
class Counted:
    """Bytes of a training: held all the time, and the most beside that while it trains and while it evaluates."""

    parameters: int
    state: int
    step: int
    evaluation: int


def count_tensors(config: TrainConfig, vocab_size: int, checkpointing: bool = False) -> Counted:
    """The bytes that training a config takes, by its first micro-batch and a batch of its evaluation.

    With ``checkpointing`` the activations of each block are computed again in its backward pass.
    """
    with FakeTensorMode(allow_non_fake_inputs=True), plain_formulas():
        network = config.model.build(vocab_size, max(config.data.seq_len, config.evaluation.seq_len))
        network.checkpoints_activations = checkpointing
        if config.number_format == BF16:
            network.keep_in_bf16(config.model.low_precision_tables)
        parameters = list(network.parameters())
        groups = config.optimizer.groups_for(network, config.data.batch_tokens, config.schedule)
        moments = [each for each in tree_iter(update_rule.start(groups)) if isinstance(each, Tensor)]
        kept = sum(each.nbytes for each in (*parameters, *network.buffers(), *moments))
        gradients_bytes = sum(p.nbytes for p in parameters)
        step = _peak_of_step(network, config) - gradients_bytes
        evaluation = _peak_of_evaluation(network, config)
    return Counted(sum(p.numel() for p in parameters), kept + gradients_bytes, step, evaluation)


def _peak_of_step(network: Network, config: TrainConfig) -> int:
    """The most bytes alive beside weights and moments in a forward and backward pass, gradients included."""
    data = config.data
    tokens = _tokens(data.batch_tokens // data.grad_accum_steps, data.seq_len)
    objective = objective_of(network, config.losses, config.loss_chunks, "cpu")
    with LiveBytes() as found:
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)  # of the micro-batch before
        with _autocast(config):
            loss, _ = objective(tokens, tokens, torch.zeros(()))
        loss.backward()  # type: ignore[no-untyped-call]
    return int(found.peak)


def _peak_of_evaluation(network: Network, config: TrainConfig) -> int:
    """The most bytes alive beside all that training holds while a batch is scored."""
    tokens = _tokens(config.evaluation.batch_tokens, config.evaluation.seq_len)
    network.eval()
    with LiveBytes() as found, torch.no_grad(), _autocast(config):
        F.cross_entropy(network(tokens).float().flatten(0, 1), tokens.flatten(), reduction="none")
    return int(found.peak)


def _tokens(count: int, seq_len: int) -> Tensor:
    return torch.zeros(max(1, count // seq_len), seq_len, dtype=torch.int64)


def _autocast(config: TrainConfig) -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=config.number_format == BF16)
