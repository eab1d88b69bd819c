"""Choice of the kernel that computes attention, made on purpose: on CUDA never the one that holds all logits in memory.

Left to itself, torch takes its ``math`` kernel wherever the fast ones refuse a call, and says nothing: flash attention
takes no mask and no fp32, memory-efficient attention no key that several heads share and no head whose channels are
not a multiple of its alignment. Here shared keys are copied out and heads padded where that is what it takes, and a
call that no fast kernel can take is an error that names it. On other devices the choice is torch's.
Compiled calls that only memory-efficient attention would take may go to FlexAttention instead, which skips the blocks
of keys that a window hides and reads shared keys where they are (``flex_attention.py`` says when it is wanted).
Source: the rules in torch's ``sdp_utils.cpp`` (2.11 to 2.13) and of Inductor's ``kernel/flex`` (2.13).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from trainable.networks.flex_attention import Blocks, flexed

WIDEST_HEAD = 256  # channels, of flash and cuDNN's kernels
ALIGNMENT = 8  # channels that memory-efficient attention reads at once, in 16-bit types; 4 in fp32
FLEX_HEADS = range(16, 129)  # channels: Triton multiplies 16 or more; wider ones do not fit each GPU's shared memory
HALF = (torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class Kernel:
    """Kernels that may take a call, and the form that they need it in."""

    backends: tuple[SDPBackend, ...] = ()  # none: the choice is torch's
    shares_keys: bool = True  # a key may serve several query heads as it is
    multiple: int = 1  # that a head's channels are padded to
    flex: bool = False  # FlexAttention in place of the backends


def kernel_for(device: str, dtype: torch.dtype, head_dim: int, masked: bool, flex: bool = False) -> Kernel:
    """The kernel of a call that is causal, or ``masked`` by a tensor; ``flex``: FlexAttention may be generated for it.

    A ValueError where on CUDA only the kernel is left that holds (heads, time, time) logits. Shared keys and dropped
    attention weights decide nothing: the kernels take them, or ``shares_keys`` says that they do not.
    """
    if device != "cuda":
        return Kernel()
    if dtype not in (*HALF, torch.float32):
        raise ValueError(f"attention in {_name(dtype)} has no kernel on CUDA; it must be in bf16, fp16 or fp32")
    if masked or dtype == torch.float32:
        if flex and head_dim in FLEX_HEADS:
            return Kernel(flex=True)
        return Kernel((SDPBackend.EFFICIENT_ATTENTION,), shares_keys=False, multiple=ALIGNMENT)
    if head_dim > WIDEST_HEAD:
        raise ValueError(
            f"attention heads have {head_dim} channels but on CUDA in {_name(dtype)} must have {WIDEST_HEAD} or fewer"
        )
    return Kernel((SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION))


def scaled_dot_product(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout: float, blocks: Blocks | None = None
) -> Tensor:
    """softmax(q k^T / sqrt(head_dim)) v over a token and all before it, or what ``mask`` (bool (time, time)) shows.

    (batch, heads, time, head_dim) each; keys and values may have fewer heads. ``blocks`` is the same mask for
    FlexAttention, where that is wanted; it drops no weights, and needs a compiler.
    """
    grouped = k.size(1) != q.size(1)
    dtype = _computed_in(q)
    flex = blocks is not None and not dropout and torch.compiler.is_compiling()
    kernel = kernel_for(q.device.type, dtype, q.size(-1), mask is not None, flex)
    if kernel.flex:
        assert blocks is not None, "only with them it is chosen"
        return flexed(q.to(dtype), k.to(dtype), v.to(dtype), blocks)
    if not kernel.backends:
        return F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, dropout_p=dropout, enable_gqa=grouped
        )
    if grouped and not kernel.shares_keys:
        k, v, grouped = *(x.repeat_interleave(q.size(1) // x.size(1), dim=1) for x in (k, v)), False
    head_dim, missing = q.size(-1), -q.size(-1) % kernel.multiple
    if missing:  # channels of 0 add nothing to a logit
        q, k, v = (F.pad(x, (0, missing)) for x in (q, k, v))
    with sdpa_kernel(list(kernel.backends)):
        y = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            is_causal=mask is None,
            dropout_p=dropout,
            enable_gqa=grouped,
            scale=head_dim**-0.5,
        )
    return y[..., :head_dim] if missing else y


def _computed_in(x: Tensor) -> torch.dtype:
    """The type that autocast gives the kernel, or that of the tensor."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
