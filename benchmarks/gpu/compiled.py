"""The section ``compiled``: the compiled step against the eager one, and the seconds that compiling takes."""

from __future__ import annotations

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt, short
from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.steps import apart, copy_weights, gradients_of, shake
from trainable.runtime import Runtime

NAMES = ("gpt", "ngpt", "nanochat", "gpt2", "blueberry_experts")


def compiled(context: Context) -> Figures:
    """Compare compiled with eager loss and gradients: each family in bf16, a GPT in fp32 too; seconds to compile."""
    names = NAMES[:1] if context.quick else NAMES
    return {name: attempt(_family, context, name) for name in names}


def _family(context: Context, name: str) -> Figures:
    precisions = ("fp32", "bf16") if name == "gpt" else ("bf16",)
    return {precision: attempt(_compiled, context, name, precision) for precision in precisions}


def _compiled(context: Context, name: str, precision: str) -> Figures:
    config = tiny(model=FAMILIES[name])
    eager = start(config, Runtime(context.device, precision))
    shake(eager)
    loss, wanted = gradients_of(eager)
    run = start(config, Runtime(context.device, precision, compile=True))
    copy_weights(eager, run)
    its, got = gradients_of(run)
    seconds = round(run.compile_seconds, 1)
    return {"loss_difference": short(abs(its - loss)), **apart(got, wanted), "compile_seconds": seconds}
