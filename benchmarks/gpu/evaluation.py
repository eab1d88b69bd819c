"""The section ``evaluation``: tokens a second that are scored, by the product's eager way and compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.golf import golf, golf_data
from benchmarks.gpu.small import start
from trainable.evaluation.evaluate import evaluate

if TYPE_CHECKING:
    from trainable.evaluation.windows import Forward


def evaluation(context: Context) -> Figures:
    """Time the evaluation of golf's network at both scales."""
    return {scale: attempt(_scale, context, scale) for scale in ("proxy", "full")}


def _scale(context: Context, scale: str) -> Figures:
    dataset = golf_data(context)
    run = start(golf(context, scale), context.bf16, dataset)
    run.network.eval()
    plain, times = run.config.evaluation.plain, 1 if context.quick else 2
    assert plain.tokens is not None

    def seconds(forward: Forward) -> float:
        def score() -> None:
            with run.runtime.autocast():
                evaluate(forward, dataset, plain, context.device)

        return context.latency(score, 1, times)

    context.fresh()
    eager = seconds(run.network)
    row: Figures = {"tokens": plain.tokens, "eager_tokens_a_second": round(plain.tokens / eager), **context.memory()}
    fast = seconds(torch.compile(run.network, fullgraph=True, dynamic=False))
    return row | {"compiled_tokens_a_second": round(plain.tokens / fast)}
