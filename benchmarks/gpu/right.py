"""The sections ``models`` and ``optimizers``: the device's gradients and updates against those of the CPU in fp32."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt, short
from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.steps import apart, copy_weights, gradients_of, shake, weights
from trainable.component import components
from trainable.models.model import Model
from trainable.optimizers import update_rule
from trainable.optimizers.muon_adam_split import MuonAdamSplit
from trainable.optimizers.update_rule import Optimizer
from trainable.run import Run
from trainable.runtime import Runtime

UPDATES = 3


def models(context: Context) -> Figures:
    """Loss and gradients of each family: fp32 and bf16 on the device against fp32 on the CPU."""
    return {name: attempt(_model, context, model) for name, model in FAMILIES.items()}


def _model(context: Context, model: Model) -> Figures:
    config = tiny(model=model)
    reference = start(config, Runtime())
    shake(reference)
    loss, wanted = gradients_of(reference)
    row: Figures = {"loss": round(loss, 5)}
    for label, runtime in (("fp32", context.fp32), ("bf16", context.bf16)):
        run = start(config, runtime)
        copy_weights(reference, run)
        its, got = gradients_of(run)
        row[label] = {"loss_difference": short(abs(its - loss)), **apart(got, wanted)}
    return row


def optimizers(context: Context) -> Figures:
    """Updates from the same gradients, as they are and with Newton-Schulz kept from bf16, against the CPU in fp32."""
    chosen: dict[str, Optimizer] = {cls.__name__: cls.example() for cls in components("optimizer")}  # type: ignore[misc]
    for cls in components("orthogonaliser"):
        chosen[f"MuonAdamSplit, {cls.__name__}"] = MuonAdamSplit(muon_orth=cls.example())  # type: ignore[arg-type]
    return {name: attempt(_optimizer, context, optimizer) for name, optimizer in chosen.items()}


def _optimizer(context: Context, optimizer: Optimizer) -> Figures:
    config = tiny(model=FAMILIES["gpt_untied_multi_query"], optimizer=optimizer)
    reference = start(config, Runtime())
    shake(reference)
    begun = weights(reference)
    runs = {"as_is": start(config, context.fp32), "without_bf16": start(config, context.fp32)}
    for run in runs.values():
        copy_weights(reference, run)
    for run in (reference, runs["without_bf16"]):
        keep_from_bf16(run)
    draw = torch.Generator().manual_seed(1)
    for index in range(UPDATES):
        gradients = [0.1 * torch.randn(p.shape, generator=draw) for p in reference.network.parameters()]
        _update(runs["as_is"], gradients, index)
        _update(reference, gradients, index)
        _update(runs["without_bf16"], gradients, index)
    way = _way(begun, reference)
    return {label: apart(_way(begun, run), way) for label, run in runs.items()}


def _update(run: Run, gradients: list[Tensor], index: int) -> None:
    for p, gradient in zip(run.network.parameters(), gradients, strict=True):
        p.grad = gradient.to(p)
    update_rule.update(run.groups, run.optimizer_states, 1.0, index, index / 10)


def _way(begun: list[Tensor], run: Run) -> list[Tensor]:
    return [now - then for now, then in zip(weights(run), begun, strict=True)]


def keep_from_bf16(run: Run) -> None:
    """Make Newton-Schulz and its variants iterate in the precision of the weights."""
    for state in run.optimizer_states.values():
        state.update({"bfloat16": False} if "bfloat16" in state else {})
