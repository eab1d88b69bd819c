"""RMSNorm, rotation and soft cap with their gradients written out.

Autograd makes of these gradients many small passes over memory: in eager mode on a CPU they were a quarter of a step.
Under torch.compile, which fuses them, and on other devices the plain formula is used; it comes first in each function.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from trainable.networks.plain_formulas import are_wanted


def norm(x: Tensor) -> Tensor:
    """RMSNorm over the last axis, without a gain: x / sqrt(mean(x^2) + eps), with the eps of the data type."""
    if _plain(x):
        return F.rms_norm(x, (x.size(-1),))
    normalised: Tensor = _Norm.apply(x)  # type: ignore[no-untyped-call]
    return normalised


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair of channels (i, i + dim / 2) of the last axis; cos and sin broadcast to (..., dim / 2)."""
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    if _plain(x):
        a, b = x.chunk(2, dim=-1)
        return torch.cat([a * cos + b * sin, b * cos - a * sin], dim=-1)
    turned: Tensor = _Rotate.apply(x, cos, sin)  # type: ignore[no-untyped-call]
    return turned


def softcap(z: Tensor, cap: float | Tensor) -> Tensor:
    """cap * tanh(z / cap); the cap is a tensor in a compiled graph alone."""
    if _plain(z):
        return cap * torch.tanh(z / cap)
    capped: Tensor = _Softcap.apply(z, cap)  # type: ignore[no-untyped-call]
    return capped


def _plain(x: Tensor) -> bool:
    return torch.compiler.is_compiling() or are_wanted() or x.device.type != "cpu" or x.dtype == torch.bfloat16


class _Norm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        scale = length.square_().div_(x.size(-1)).add_(torch.finfo(x.dtype).eps).rsqrt_()
        y: Tensor = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        y, scale = ctx.saved_tensors
        along = (grad * y).mean(-1, keepdim=True)  # what only changes the length of x does not change y
        return torch.addcmul(grad, y, along, value=-1).mul_(scale)


class _Rotate(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turned(x, cos, sin)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return _turned(grad, cos, -sin), None, None  # the transpose of a rotation turns back


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    y = x * torch.cat([cos, cos], dim=-1)
    return y.addcmul_(x.roll(x.size(-1) // 2, dims=-1), torch.cat([sin, -sin], dim=-1))


class _Softcap(Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, cap: float) -> Tensor:
        y = (z / cap).tanh_().mul_(cap)
        ctx.save_for_backward(y)
        ctx.cap = cap
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        return torch.addcmul(grad, grad * y, y, value=-1 / ctx.cap**2), None
