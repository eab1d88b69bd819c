"""Loops as one would write them without this package, which our step is measured beside.

``published``: the competition script's arrangement, with the whole loss compiled, Newton-Schulz compiled a matrix at a
time, and fused Adam. ``torch``: torch's own Muon and fused Adam, and batches from pinned memory.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.gpu.context import Context
from trainable.data.dataset import batch
from trainable.networks.network import Network
from trainable.optimizers.muon_adam import MuonAdam
from trainable.optimizers.roles import roles
from trainable.run import Run

PUBLISHED, TORCH = "published", "torch"


def plain_step(context: Context, run: Run, which: str) -> Callable[[], None]:
    """A function that takes a step on a copy of the run's network."""
    network = copy.deepcopy(run.network)

    def loss_of(inputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(network(inputs).float().flatten(0, 1), targets.flatten())

    loss = torch.compile(loss_of, fullgraph=True, dynamic=False)
    optimizers = _optimizers(run, network, which)
    pinned = which == TORCH and context.cuda
    data, parts, position = run.config.data, run.config.data.grad_accum_steps, 0

    def moved(x: Tensor) -> Tensor:
        return (x.pin_memory() if pinned else x).to(context.device, non_blocking=True)

    def go() -> None:
        nonlocal position
        inputs, targets, position = batch(run.dataset.train, position, data)
        for x, y in zip(moved(inputs).chunk(parts), moved(targets).chunk(parts), strict=True):
            with run.runtime.autocast():
                value = loss(x, y)
            (value / parts).backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    return go


def _optimizers(run: Run, network: Network, which: str) -> list[torch.optim.Optimizer]:
    ours, found = run.config.optimizer, roles(network)
    assert isinstance(ours, MuonAdam)
    table = ours.tied_embed_lr if network.head is None else ours.embed_lr
    rates = {"embedding": table, "scalar": ours.scalar_lr, "head": ours.head_lr}
    groups = [{"params": found[role], "lr": lr} for role, lr in rates.items() if found[role]]
    adam = torch.optim.Adam(groups, betas=(ours.adam_beta1, ours.adam_beta2), eps=ours.adam_eps, fused=True)
    if which == PUBLISHED:
        return [MatrixAtATime(found["matrix"], ours.matrix_lr, ours.muon_momentum), adam]
    momentum = ours.muon_momentum
    return [torch.optim.Muon(found["matrix"], lr=ours.matrix_lr, momentum=momentum, weight_decay=0.0), adam]


class MatrixAtATime(torch.optim.Optimizer):
    """Muon by one compiled function a matrix."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})
        self.polar = torch.compile(newton_schulz)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every matrix in turn."""
        for group in self.param_groups:
            for p in group["params"]:
                buffer = self.state[p].setdefault("buffer", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(p.grad)
                change = self.polar(p.grad.add(buffer, alpha=group["momentum"]))
                p.add_(change, alpha=-group["lr"] * max(1.0, p.size(0) / p.size(1)) ** 0.5)


def newton_schulz(g: Tensor) -> Tensor:
    """One matrix towards its polar factor, in bf16, as the script writes it."""
    x = g.bfloat16()
    x = x / (x.norm() + 1e-7)
    tall = g.size(0) > g.size(1)
    x = x.T if tall else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    result: Tensor = x.T if tall else x
    return result
