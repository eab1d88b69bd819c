"""Kernels that attention takes on a CUDA device: ``pytest -m gpu``. Skipped where there is none."""

from __future__ import annotations

import pytest
import torch

from trainable.networks.causal_attention import CausalAttention, Window, WindowedAttention

CUDA = "cuda"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("window", [None, 8])
@pytest.mark.parametrize(("heads", "kv_heads", "head_dim"), [(4, 4, 64), (4, 2, 64), (4, 1, 8), (8, 8, 6)])
@pytest.mark.parametrize(("dtype", "off"), [(torch.bfloat16, 0.02), (torch.float32, 1e-5)])
def test_attention_is_that_of_the_cpu_and_never_the_math_kernels(window, heads, kv_heads, head_dim, dtype, off) -> None:
    q, k, v = (torch.randn(2, 40, count, head_dim) for count in (heads, kv_heads, kv_heads))
    attention = CausalAttention() if window is None else WindowedAttention(Window(window, 64))
    wanted = attention(q.double(), k.double(), v.double())
    here = [x.to(CUDA, dtype).requires_grad_() for x in (q, k, v)]
    with torch.profiler.profile() as seen:
        found = attention.to(CUDA)(*here)
        found.float().square().sum().backward()
    names = {event.key for event in seen.key_averages()}
    assert "aten::_scaled_dot_product_attention_math" not in names
    assert any("_scaled_dot_product_" in name for name in names)
    torch.testing.assert_close(found.double().cpu(), wanted, atol=off, rtol=off)
    assert all(x.grad is not None and x.grad.isfinite().all() for x in here)
