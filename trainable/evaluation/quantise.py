"""Weights as integers: the rounding of parameter golf's export, for any number of bits.

Rows are rounded to the grid scale * {-q, ..., q}, q = 2^(bits - 1) - 1, in an int8 tensor whatever the bits.
"""

from __future__ import annotations

import torch
from torch import Tensor

CLIP_QUANTILE = 0.9999984  # of the magnitudes: what lies beyond it is clipped
SMALLEST_FP16 = 2.0**-24


def by_row(w: Tensor, bits: int, min_clip: float) -> tuple[Tensor, Tensor]:
    """A matrix as int8 (rows, columns) and fp16 scales (rows,).

    clip = the quantile of a row's |w|; scale = max(clip, min_clip) / q; n = round(clipped w / scale) in -q..q. The
    division is by the scale in fp32, the one kept is rounded to fp16.
    """
    levels, w = 2 ** (bits - 1) - 1, w.detach().float()
    clip = quantile(w.abs(), CLIP_QUANTILE)
    scale = (clip.clamp(min=min_clip) / levels).clamp(min=SMALLEST_FP16)
    return _round(w, clip[:, None], scale[:, None], levels), scale.half()


def whole(t: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """A tensor of any shape as int8 and one fp32 scale, without a smallest clip; a tensor of zeros has scale 1."""
    levels, t = 2 ** (bits - 1) - 1, t.detach().float()
    clip = quantile(t.abs().flatten(), CLIP_QUANTILE)
    scale = torch.where(clip > 0, clip / levels, 1.0)
    return _round(t, clip, scale, levels), scale


def dequantised(n: Tensor, scale: Tensor) -> Tensor:
    """The fp32 values that integers and their scales stand for."""
    return n.float() * (scale.float()[:, None] if scale.ndim else scale)


def quantile(x: Tensor, q: float) -> Tensor:
    """The q-quantile of the last axis, interpolated between neighbours as usual; quick where q is close to 1."""
    place = q * (x.size(-1) - 1)
    low = int(place)
    top = x.topk(x.size(-1) - low, dim=-1).values  # descending: the last one has rank ``low``
    above = top[..., -2] if top.size(-1) > 1 else top[..., -1]
    return torch.lerp(top[..., -1], above, place - low)


def _round(t: Tensor, clip: Tensor, scale: Tensor, levels: int) -> Tensor:
    clipped = torch.maximum(torch.minimum(t, clip), -clip)
    return (clipped / scale).round().clamp(-levels, levels).to(torch.int8)
