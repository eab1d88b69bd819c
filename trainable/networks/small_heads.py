"""Causal attention of narrow heads on a CPU, as batched matrix products with its gradient written out.

torch's flash kernel multiplies blocks of (time, head_dim), which for eight channels are too thin for the matrix
library: its backward pass alone was a third of a proxy step. Here the channels of all heads lie as rows, long and
contiguous, and the heads that share a key are multiplied with it at once. Attention weights are kept for the backward
pass, a block of queries at a time, of which each sees only the keys up to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from trainable.networks.plain_formulas import are_wanted

WIDEST = 8  # channels of a head; from 16 on the flash kernel is faster
KEPT_NUMBERS = 2**22  # attention weights at most, before the causal half is left out: 8 to 16 MiB a layer
QUERIES = 32  # in a block


def is_faster(q: Tensor, k: Tensor) -> bool:
    """Tell whether heads (batch, time, heads, head_dim) are attended to faster here than by torch's kernel."""
    batch, time, heads, head_dim = q.shape
    return (
        head_dim <= WIDEST
        and batch * heads * time * time <= KEPT_NUMBERS
        and q.device.type == "cpu"
        and q.dtype == k.dtype == torch.float32
        and not torch.compiler.is_compiling()
        and not are_wanted()
        and not torch.is_autocast_enabled("cpu")
    )


def attend(q: Tensor, k: Tensor, v: Tensor, window: int | None = None) -> Tensor:
    """softmax(q k^T / sqrt(head_dim)) v over a token and all before it, or only the ``window`` before it.

    (batch, time, heads, head_dim) each; a key and its value may serve several neighbouring query heads.
    """
    y: Tensor = _Attend.apply(q, k, v, q.size(1) if window is None else window)  # type: ignore[no-untyped-call]
    return y


class _Attend(Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
        batch, time, heads, head_dim = q.shape
        shared = heads // k.size(2)
        q, k, v = rows(q, shared).mul_(head_dim**-0.5), rows(k, 1), rows(v, 1)
        y, unseen, kept = torch.empty_like(q), hidden_pairs(time, window).to(q), []
        for queries, keys in blocks(time, window):
            mask = unseen[queries, keys].repeat_interleave(shared, 0)
            at = stacked_queries(queries, shared)
            weights = torch.baddbmm(mask, q[:, :, at].mT, k[:, :, keys])  # (batch * kv_heads, queries, keys)
            torch.softmax(weights, -1, out=weights)
            y[:, :, at] = torch.bmm(v[:, :, keys], weights.mT)
            kept.append(weights)
        ctx.save_for_backward(q, k, v, y, *kept)
        ctx.batch, ctx.time, ctx.window, ctx.shared = batch, time, window, shared
        return heads_of(y, batch, time)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, y, *kept = ctx.saved_tensors
        g = rows(grad, ctx.shared)
        along = (g * y).sum(1)  # what changes all logits of a query alike changes none of its weights
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for (queries, keys), weights in zip(blocks(ctx.time, ctx.window), kept, strict=True):
            at = stacked_queries(queries, ctx.shared)
            dv[:, :, keys] += torch.bmm(g[:, :, at], weights)
            logits = torch.baddbmm(along[:, at, None], g[:, :, at].mT, v[:, :, keys], beta=-1).mul_(weights)
            dq[:, :, at] = torch.bmm(k[:, :, keys], logits.mT)
            dk[:, :, keys] += torch.bmm(q[:, :, at], logits)
        dq.mul_(dq.size(1) ** -0.5)
        dq, dk, dv = (heads_of(x, ctx.batch, ctx.time) for x in (dq, dk, dv))
        return dq, dk, dv, None


def blocks(time: int, window: int) -> Iterator[tuple[slice, slice]]:
    """Cut the queries into blocks; yields the tokens of each and the keys that any of them sees."""
    for begin in range(0, time, QUERIES):
        end = min(time, begin + QUERIES)
        yield slice(begin, end), slice(max(0, begin - window), end)


def stacked_queries(queries: slice, shared: int) -> slice:
    """Find a block of queries in ``rows``."""
    return slice(queries.start * shared, queries.stop * shared)


def hidden_pairs(time: int, window: int) -> Tensor:
    """Logits (time, time) to add: -inf where a query (row) does not see a key (column), else 0."""
    later = torch.full((time, time), -torch.inf)
    return later.triu(1) + later.tril(-window - 1) if window < time else later.triu(1)


def rows(x: Tensor, shared: int) -> Tensor:
    """(batch, time, heads, dim) -> (batch * kv_heads, dim, time * shared): a copy, a key's query heads side by side."""
    batch, time, heads, dim = x.shape
    apart = x.reshape(batch, time, heads // shared, shared, dim).permute(0, 2, 4, 1, 3)
    return apart.contiguous().view(batch * (heads // shared), dim, time * shared)


def heads_of(x: Tensor, batch: int, time: int) -> Tensor:
    """Undo ``rows``: (batch, time, heads, dim)."""
    stacked, dim, columns = x.shape
    apart = x.view(batch, stacked // batch, dim, time, columns // time).permute(0, 3, 1, 4, 2)
    return apart.reshape(batch, time, -1, dim)
