"""The section ``ways``: steps of golf compiled whole, by blocks, with FlexAttention and as CUDA graphs, side by side.

Each way is compiled with a cache of its own, so that its seconds are those of an empty one; the losses of its first
steps are set beside the eager ones. In bf16 golf's attention stays with flash, so that FlexAttention is measured in
fp32, and on nanochat's windows at the heads of its recorded size.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt, short
from benchmarks.gpu.golf import golf, golf_data, rated
from benchmarks.gpu.small import start
from benchmarks.gpu.steps import whole_step
from trainable import compile_cache
from trainable.config import TrainConfig
from trainable.models.nanochat import Nanochat
from trainable.models.query_key_value import SeparateHeads
from trainable.runtime import Runtime

EAGER = "eager"
WAYS: dict[str, dict[str, Any]] = {
    EAGER: {},
    "whole": {"compile": True},
    "blocks": {"compile": True, "compile_blocks": True},
    "eager, CUDA graph": {"cuda_graphs": True},
    "whole, CUDA graph": {"compile": True, "cuda_graphs": True},
    "blocks, CUDA graph": {"compile": True, "compile_blocks": True, "cuda_graphs": True},
    "whole, FlexAttention": {"compile": True, "flex_attention": True},
}
FIRST_STEPS = 3  # whose losses are compared
REPETITIONS = {"full": (2, 5), "proxy": (10, 60)}  # steps of warm-up, steps that are timed
QUICK_REPETITIONS = (1, 2)
WINDOWED = Nanochat(  # nanochat's layers at the width of its recorded size, few of them, keys shared by two heads
    num_layers=4, aspect_ratio=384, head_dim=128, short_window=512, qkv=SeparateHeads(kv_head_divisor=2)
)
QUICK_WINDOWED = Nanochat(num_layers=2, aspect_ratio=32, head_dim=16, short_window=16)


def ways(context: Context) -> Figures:
    """Milliseconds of a step, seconds to compile it from nothing, memory and losses of each way."""
    precise = ("whole", "whole, FlexAttention")
    return {
        "golf full, bf16": _rows(context, golf(context, "full"), "full", context.bf16, "whole", "blocks"),
        "golf full, fp32": _rows(context, golf(context, "full"), "full", context.fp32, *precise),
        "golf proxy, bf16": _rows(context, golf(context, "proxy"), "proxy", context.bf16, *[*WAYS][:-1]),
        "nanochat's windows, bf16": _rows(context, windowed(context), "full", context.bf16, *precise),
    }


def windowed(context: Context) -> TrainConfig:
    """Golf's training of a model whose layers see windows and share keys."""
    config = golf(context, "full")
    model = QUICK_WINDOWED if context.quick else WINDOWED
    data = config.data if context.quick else dataclasses.replace(config.data, batch_tokens=16_384, grad_accum_steps=1)
    return dataclasses.replace(config, model=model, data=data)


def _rows(context: Context, config: TrainConfig, scale: str, runtime: Runtime, *names: str) -> Figures:
    rows: Figures = {}
    eager: list[float] | None = None
    for name in dict.fromkeys((EAGER, *names)):
        needs_cuda = {"cuda_graphs", "flex_attention"} & WAYS[name].keys()
        if needs_cuda and not context.cuda:
            rows[name] = {"skipped": "needs CUDA"}
            continue
        row = rows[name] = attempt(_row, context, config, scale, dataclasses.replace(runtime, **WAYS[name]))
        losses = row.get("losses")
        eager = losses if name == EAGER else eager
        if losses and eager:
            row["losses_off"] = short(max(abs(a - b) for a, b in zip(losses, eager, strict=True)))
    return rows


def _row(context: Context, config: TrainConfig, scale: str, runtime: Runtime) -> Figures:
    torch._dynamo.reset()
    context.fresh()
    with _empty_cache():
        run = start(config, runtime, golf_data(context))
        go: Callable[[], torch.Tensor] = whole_step(run)
        losses = [float(go()) for _ in range(FIRST_STEPS)]
        warm, times = QUICK_REPETITIONS if context.quick else REPETITIONS[scale]
        seconds = context.throughput(go, warm, times)
    compiling = {"compile_seconds": round(run.compile_seconds, 1), "losses": losses}
    return rated(context, seconds, config) | context.memory() | compiling


@contextmanager
def _empty_cache() -> Iterator[None]:
    """Compile within the block as on a machine that has compiled nothing yet."""
    with (
        tempfile.TemporaryDirectory(prefix="gpu_check_cache.") as folder,
        mock.patch.dict(os.environ, {compile_cache.VARIABLE: folder}),
    ):
        yield
