"""The section ``attention_kernels``: the kernel of each family's attention; ``math`` holds all logits in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt


@dataclass(frozen=True)
class Shape:
    """One call of attention: queries (rows, heads, time, head_dim), causal by a mask or by its flag."""

    rows: int
    time: int
    heads: int
    kv_heads: int
    head_dim: int
    masked: bool = False
    dropout: float = 0.0


SHAPES = {
    "golf full": Shape(8, 1024, 8, 4, 64),
    "golf proxy": Shape(8, 128, 8, 4, 8),
    "golf, 1 kv head": Shape(8, 1024, 8, 1, 64),
    "nanochat, window": Shape(2, 2048, 12, 12, 128, masked=True),
    "nanochat, window, grouped": Shape(2, 2048, 12, 3, 128, masked=True),
    "blueberry, dropout": Shape(2, 2048, 8, 4, 64, dropout=0.1),
    "ngpt": Shape(8, 128, 8, 8, 48),
}


def attention_kernels(context: Context) -> Figures:
    """Name the kernels that can take each shape, and the one that did, in bf16 and fp32; milliseconds and memory."""
    if not context.cuda:
        return {"skipped": "needs CUDA"}
    return {
        f"{name}, {str(dtype).removeprefix('torch.')}": attempt(_kernel, context, shape, dtype)
        for name, shape in SHAPES.items()
        for dtype in (torch.bfloat16, torch.float32)
    }


def _kernel(context: Context, shape: Shape, dtype: torch.dtype) -> Figures:
    def random(heads: int) -> torch.Tensor:
        size = (shape.rows, heads, shape.time, shape.head_dim)
        return torch.randn(size, device=context.device, dtype=dtype, requires_grad=True)

    q, k, v = random(shape.heads), random(shape.kv_heads), random(shape.kv_heads)
    mask = None
    if shape.masked:
        mask = torch.ones(shape.time, shape.time, dtype=torch.bool, device=context.device).tril()
    grouped = shape.heads != shape.kv_heads

    def attend() -> None:
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=not shape.masked, dropout_p=shape.dropout, enable_gqa=grouped
        )
        y.sum().backward()  # type: ignore[no-untyped-call]

    can = _can(q, k, v, mask, shape) or ["math"]
    context.fresh()
    measured: Figures = attempt(_measured, context, attend)
    return {"can": can, **measured}


def _can(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None, shape: Shape) -> list[str]:
    """Names of the kernels that torch says it could take."""
    from torch.backends import cuda

    asked = cuda.SDPAParams(q, k, v, mask, shape.dropout, not shape.masked, shape.heads != shape.kv_heads)
    asks = {
        "flash": cuda.can_use_flash_attention,
        "efficient": cuda.can_use_efficient_attention,
        "cudnn": cuda.can_use_cudnn_attention,
    }
    return [name for name, ask in asks.items() if ask(asked, False)]


def _measured(context: Context, attend: Callable[[], None]) -> Figures:
    row: Figures = {"ms": round(1e3 * context.throughput(attend, 2, 5), 2)}
    row["peak_mib"] = context.memory()["peak_allocated_mib"]
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
        attend()
        context.synchronize()
    longest = sorted(seen.key_averages(), key=lambda event: -event.self_device_time_total)[:2]
    return row | {"kernels": [event.key[:60] for event in longest]}
