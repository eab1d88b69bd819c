"""The section ``checkpointed``: what checkpointed activations save and cost, beside what a plan counts beforehand."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.gpu.context import MIB, Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.made_up import made_up
from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.spaces import one_micro_batch
from benchmarks.gpu.steps import apart, copy_weights, gradients_of, shake, whole_step
from tuner.cluster.counted_memory import count_tensors

SPACES, QUICK_SPACES = ("parameter_golf", "ngpt", "nanochat"), ("parameter_golf",)  # a proxy of nanochat is no CPU's


def checkpointed(context: Context) -> Figures:
    """One micro-batch of some spaces' recorded size without and with it; how far the gradients of families move."""
    found: Figures = {}
    for name in QUICK_SPACES if context.quick else SPACES:
        for checkpointing in (False, True):
            context.fresh()
            row = attempt(_micro_batch, context, name, checkpointing) | context.memory()
            found.setdefault(name, {})["checkpointed" if checkpointing else "plain"] = row
    context.fresh()
    return found | {"gradients": {name: attempt(_moved, context, name) for name in FAMILIES}}


def _micro_batch(context: Context, name: str, checkpointing: bool) -> Figures:
    config, vocab_size = one_micro_batch(name, context.quick)
    config = replace(config, precision="bf16")
    data = made_up(vocab_size, 4 * config.data.batch_tokens + 10_000, config.evaluation.seq_len * 8 + 1)
    run = start(config, replace(context.bf16, checkpoint_activations=checkpointing), data)
    seconds = context.throughput(whole_step(run), 1, 2)
    counted = count_tensors(config, vocab_size, checkpointing)
    return {"ms": round(1e3 * seconds, 1), "counted_mib": round((counted.state + counted.step) / MIB, 1)}


def _moved(context: Context, family: str) -> Figures:
    """Distance of a step's gradients with it from those without: 0 on a CPU; on CUDA, sums in another order."""
    config = tiny(model=FAMILIES[family])
    plain, small = (start(config, replace(context.bf16, checkpoint_activations=each)) for each in (False, True))
    shake(plain)
    copy_weights(plain, small)
    loss, wanted = gradients_of(plain)
    its, got = gradients_of(small)
    return {"loss_difference": abs(its - loss), **apart(got, wanted)}
