"""Training loops as one would write them without this package, which ``step_time`` measures ours beside.

Each trains a copy of the same network. ``own functions`` computes it as ours does; the others with torch's own RMSNorm,
rotation and attention. ``published`` is the arrangement of the parameter-golf script: Muon a matrix at a time, in bf16.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.gpu.plain_loops import newton_schulz
from trainable.config import TrainConfig
from trainable.data.dataset import batch
from trainable.networks.network import Network
from trainable.networks.plain_formulas import plain_formulas
from trainable.optimizers.muon_adam import MuonAdam
from trainable.optimizers.roles import roles
from trainable.run import Run

BFLOAT16, FLOAT32, PUBLISHED = "torch.optim.Muon", "torch.optim.Muon in fp32", "published"
OWN_FUNCTIONS = ", own functions"  # after a name: the network as ours computes it
PEERS = (BFLOAT16, FLOAT32, PUBLISHED, BFLOAT16 + OWN_FUNCTIONS, FLOAT32 + OWN_FUNCTIONS)
MUONS = (BFLOAT16, FLOAT32, PUBLISHED)

Take = Callable[[], None]


def peer_step(run: Run, name: str) -> Take:
    """A step of the peer ``name`` on a copy of the run's network."""
    network, config, runtime = copy.deepcopy(run.network), run.config, run.runtime
    matrices = muon_step(network, config, name.removesuffix(OWN_FUNCTIONS), runtime.compile)
    adam = fused_adam(network, config)
    functions = nullcontext if name.endswith(OWN_FUNCTIONS) else plain_formulas
    position = 0

    def loss_of(inputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(network(inputs).float().flatten(0, 1), targets.flatten())

    forward = torch.compile(loss_of, fullgraph=True, dynamic=False) if runtime.compile else loss_of

    def take() -> None:
        nonlocal position
        inputs, targets, position = batch(run.dataset.train, position, config.data)
        with functions(), runtime.autocast():
            loss = forward(inputs.to(runtime.device), targets.to(runtime.device))
        loss.backward()  # type: ignore[no-untyped-call]
        matrices()
        adam.step()
        network.zero_grad(set_to_none=True)

    return take


def muon_step(network: Network, config: TrainConfig, name: str, compiled: bool = False) -> Take:
    """An update of the network's matrices by one of ``MUONS``."""
    ours, found = config.optimizer, roles(network)["matrix"]
    assert isinstance(ours, MuonAdam)
    if name == PUBLISHED:
        return MatrixAtATime(found, ours.matrix_lr, ours.muon_momentum, compiled).step
    optimizer = torch.optim.Muon(found, lr=ours.matrix_lr, momentum=ours.muon_momentum, weight_decay=0.0)

    def take() -> None:
        with torch_muon_in_float32() if name == FLOAT32 else nullcontext():
            optimizer.step()

    return take


def fused_adam(network: Network, config: TrainConfig) -> torch.optim.Optimizer:
    """torch's fused AdamW at our base rates, for all but the matrices."""
    ours, found = config.optimizer, roles(network)
    assert isinstance(ours, MuonAdam)
    tables = {"embedding": ours.tied_embed_lr if network.head is None else ours.embed_lr, "head": ours.head_lr}
    groups = [{"params": found[r], "lr": lr} for r, lr in {**tables, "scalar": ours.scalar_lr}.items() if found[r]]
    return torch.optim.AdamW(
        groups, betas=(ours.adam_beta1, ours.adam_beta2), eps=ours.adam_eps, weight_decay=0.0, fused=True
    )


@contextmanager
def torch_muon_in_float32() -> Iterator[None]:
    """torch.optim.Muon without its rounding to bfloat16, within the block."""
    from torch.optim import _muon

    def polar(grad: Tensor, coefficients: Any, steps: int, eps: float) -> Tensor:
        a, b, c = coefficients
        tall = grad.size(0) > grad.size(1)
        x = grad.T if tall else grad
        x = x / x.norm().clamp(min=eps)
        for _ in range(steps):
            gram = x @ x.T
            x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
        return x.T if tall else x

    with mock.patch.object(_muon, "_zeropower_via_newtonschulz", polar):
        yield


class MatrixAtATime:
    """Muon as the script arranges it: a loop over matrices into one flat buffer in bf16, and a loop that applies it."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float, compiled: bool) -> None:
        self.parameters, self.lr, self.momentum = list(parameters), lr, momentum
        self.buffers = [torch.zeros_like(p) for p in self.parameters]
        self.polar = torch.compile(newton_schulz) if compiled else newton_schulz

    @torch.no_grad()
    def step(self) -> None:
        """Update every matrix in turn."""
        sizes = [p.numel() for p in self.parameters]
        flat = torch.zeros(sum(sizes), dtype=torch.bfloat16)
        for p, buffer, place in zip(self.parameters, self.buffers, flat.split(sizes), strict=True):
            assert p.grad is not None
            buffer.mul_(self.momentum).add_(p.grad)
            change = self.polar(p.grad.add(buffer, alpha=self.momentum))
            place.copy_((change * max(1.0, p.size(0) / p.size(1)) ** 0.5).reshape(-1))
        for p, place in zip(self.parameters, flat.split(sizes), strict=True):
            p.add_(place.view_as(p).to(p.dtype), alpha=-self.lr)
