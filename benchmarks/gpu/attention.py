"""The section ``attention_kernels``: the product's attention at each family's shapes, and the kernel that ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from trainable.compiled_blocks import many_graphs
from trainable.networks.attention_kernel import kernel_for
from trainable.networks.causal_attention import CausalAttention, Window, WindowedAttention


@dataclass(frozen=True)
class Shape:
    """One call of attention: queries (rows, time, heads, head_dim), over a window or all tokens before."""

    rows: int
    time: int
    heads: int
    kv_heads: int
    head_dim: int
    window: int | None = None
    dropout: float = 0.0


SHAPES = {
    "golf full": Shape(8, 1024, 8, 4, 64),
    "golf proxy": Shape(8, 128, 8, 4, 8),
    "golf, 1 kv head": Shape(8, 1024, 8, 1, 64),
    "nanochat, window": Shape(2, 2048, 12, 12, 128, window=512),
    "nanochat, window, grouped": Shape(2, 2048, 12, 3, 128, window=512),
    "blueberry, dropout": Shape(2, 2048, 8, 4, 64, dropout=0.1),
    "ngpt": Shape(8, 128, 8, 8, 48),
    "ngpt proxy": Shape(8, 64, 8, 8, 6),
    "nanochat proxy, window": Shape(8, 64, 12, 12, 8, window=16),
}


def attention_kernels(context: Context) -> Figures:
    """Name the kernels that may take each shape, and those that ran, in bf16 and fp32; milliseconds and memory."""
    if not context.cuda:
        return {"skipped": "needs CUDA"}
    return {
        f"{name}, {str(dtype).removeprefix('torch.')}": attempt(_kernel, context, shape, dtype)
        for name, shape in SHAPES.items()
        for dtype in (torch.bfloat16, torch.float32)
    }


def _kernel(context: Context, shape: Shape, dtype: torch.dtype) -> Figures:
    def random(heads: int) -> torch.Tensor:
        size = (shape.rows, shape.time, heads, shape.head_dim)
        return torch.randn(size, device=context.device, dtype=dtype, requires_grad=True)

    q, k, v = random(shape.heads), random(shape.kv_heads), random(shape.kv_heads)
    attention = CausalAttention(shape.dropout)
    if shape.window is not None:
        attention = WindowedAttention(Window(shape.window, shape.time)).to(context.device)

    def attend(mode: Callable[..., torch.Tensor]) -> None:
        mode(q, k, v).sum().backward()  # type: ignore[no-untyped-call]

    chosen = kernel_for(context.device, dtype, shape.head_dim, shape.window is not None)
    row: Figures = {"may": [backend.name for backend in chosen.backends]}
    for name, mode in (("eager", attention), ("compiled", torch.compile(attention, fullgraph=True, dynamic=False))):
        context.fresh()
        with many_graphs():
            row[name] = attempt(_measured, context, partial(attend, mode))
    return row


def _measured(context: Context, attend: Callable[[], None]) -> Figures:
    row: Figures = {"ms": round(1e3 * context.throughput(attend, 2, 5), 2)}
    row["peak_mib"] = context.memory()["peak_allocated_mib"]
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
        attend()
        context.synchronize()
    longest = sorted(seen.key_averages(), key=lambda event: -event.self_device_time_total)[:2]
    return row | {"kernels": [event.key[:60] for event in longest]}
