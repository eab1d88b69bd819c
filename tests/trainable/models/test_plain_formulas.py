"""What is written out for CPUs is left out within a block of ``plain_formulas``, and there again after it."""

from __future__ import annotations

import pytest
import torch

from trainable.networks import gradients, small_heads
from trainable.networks.plain_formulas import plain_formulas


def written_out(x: torch.Tensor) -> tuple[bool, bool]:
    heads = x.detach().view(1, 4, 2, 4)
    return type(gradients.norm(x).grad_fn).__name__ == "_NormBackward", small_heads.is_faster(heads, heads)


def test_the_block_alone_takes_the_plain_formulas() -> None:
    x = torch.randn(4, 8, requires_grad=True)
    assert written_out(x) == (True, True)
    with plain_formulas():
        assert written_out(x) == (False, False)
    assert written_out(x) == (True, True)


def test_an_error_in_the_block_leaves_nothing_behind() -> None:
    x = torch.randn(4, 8, requires_grad=True)
    with pytest.raises(KeyError), plain_formulas():
        raise KeyError
    assert written_out(x) == (True, True)
