"""FlexAttention over a token and all before it, or a window: a kernel that torch's compiler generates for the mask.

Of the keys it reads only the blocks that some query of a block sees, and keys that several heads share where they lie.
It has not run on a GPU here yet, so a run has to ask for it (``Runtime.flex_attention``). Eager torch would compute it
with all logits in memory, and on a CPU without a gradient: nothing asks for it there.
Source: arXiv 2412.05496; torch's ``nn/attention/flex_attention.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask, _mask_mod_signature

    Blocks = BlockMask
else:
    Blocks = object

LENGTHS = 128  # tokens that a sequence must have, or a multiple: the side of a block, which torch pads shorter ones to


def blocks_of(lengths: Iterable[int], reach: int | None, device: str) -> dict[int, Blocks]:
    """Masks by length, for those lengths that are whole blocks; ``reach`` tokens before itself a token sees, or all."""
    from torch.nn.attention.flex_attention import create_block_mask  # with torch's compiler, which takes a second

    whole = sorted({length for length in lengths if length % LENGTHS == 0})
    return {n: create_block_mask(shown_keys(reach), None, None, n, n, device=device) for n in whole}


@cache
def shown_keys(reach: int | None) -> _mask_mod_signature:
    """The rule by which a query sees a key, given the places of both.

    One function for all runs of a process: a graph knows the rule by its identity, and is made anew for another.
    """

    if reach is None:
        return lambda batch, head, query, key: query >= key
    return lambda batch, head, query, key: (query >= key) & (query - key <= reach)


def flexed(q: Tensor, k: Tensor, v: Tensor, blocks: Blocks) -> Tensor:
    """softmax(q k^T / sqrt(head_dim)) v where the mask shows it; (batch, heads, time, head_dim), keys with fewer heads.

    For a compiled graph.
    """
    from torch.nn.attention.flex_attention import flex_attention

    y = flex_attention(q, k, v, block_mask=blocks, enable_gqa=k.size(1) != q.size(1))
    assert isinstance(y, Tensor), "nothing beside the values was asked for"
    return y
