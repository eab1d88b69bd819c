"""The kernel of attention is chosen, and on CUDA never the one that holds all logits; the choice needs no device."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch
from torch.nn.attention import SDPBackend

from trainable.models.nanochat import Nanochat
from trainable.networks import attention_kernel
from trainable.networks.attention_kernel import Kernel, kernel_for, scaled_dot_product
from trainable.networks.causal_attention import Window

BF16, FP16, FP32 = torch.bfloat16, torch.float16, torch.float32
FLASH = Kernel((SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION))
EFFICIENT = Kernel((SDPBackend.EFFICIENT_ATTENTION,), shares_keys=False, multiple=8)


@pytest.mark.parametrize(
    ("dtype", "head_dim", "masked", "expected"),
    [
        (BF16, 64, False, FLASH),
        (FP16, 256, False, FLASH),
        (BF16, 64, True, EFFICIENT),
        (FP32, 64, False, EFFICIENT),
        (FP32, 512, True, EFFICIENT),
    ],
)
def test_on_cuda_a_kernel_is_named_that_takes_the_type_and_the_mask(dtype, head_dim, masked, expected) -> None:
    assert kernel_for("cuda", dtype, head_dim, masked) == expected


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [BF16, FP16, FP32])
@pytest.mark.parametrize("head_dim", [6, 8, 64, 128])
def test_no_call_on_cuda_may_fall_to_the_math_kernel(masked, dtype, head_dim) -> None:
    found = kernel_for("cuda", dtype, head_dim, masked)
    assert found.backends and SDPBackend.MATH not in found.backends


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_elsewhere_the_choice_is_torchs(device) -> None:
    assert kernel_for(device, FP32, 512, True) == Kernel((), shares_keys=True, multiple=1)


def test_a_call_that_no_fast_kernel_takes_says_what_must_change() -> None:
    with pytest.raises(ValueError, match=r"heads have 320 channels but on CUDA in bfloat16 must have 256 or fewer"):
        kernel_for("cuda", BF16, 320, False)
    with pytest.raises(ValueError, match=r"attention in float64 has no kernel on CUDA; it must be in bf16, fp16"):
        kernel_for("cuda", torch.float64, 64, False)


def drawn(heads: int, head_dim: int) -> torch.Tensor:
    return torch.randn(2, heads, 9, head_dim, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("kv_heads", "head_dim"), [(4, 8), (2, 8), (1, 6), (4, 6)])
def test_copied_keys_and_padded_heads_change_no_number(masked, kv_heads, head_dim, monkeypatch) -> None:
    """The form that memory-efficient attention needs, computed here by the CPU's kernel."""
    q, k, v = drawn(4, head_dim), drawn(kv_heads, head_dim), drawn(kv_heads, head_dim)
    mask = Window(3, 9).seen if masked else None
    wanted = scaled_dot_product(q, k, v, mask, 0.0)
    gradients = torch.autograd.grad(wanted.sin().sum(), (q, k, v))
    seen = []

    @contextmanager
    def only(backends):
        seen.append(backends)
        yield

    given: list[tuple[int, ...]] = []
    plain = torch.nn.functional.scaled_dot_product_attention

    def watched(q, k, v, **options):
        given.extend((q.shape, k.shape, v.shape))
        return plain(q, k, v, **options)

    monkeypatch.setattr(attention_kernel, "kernel_for", lambda *call: EFFICIENT)
    monkeypatch.setattr(attention_kernel, "sdpa_kernel", only)
    monkeypatch.setattr(attention_kernel.F, "scaled_dot_product_attention", watched)
    found = scaled_dot_product(q, k, v, mask, 0.0)
    assert seen == [[SDPBackend.EFFICIENT_ATTENTION]]
    assert set(given) == {(2, 4, 9, 8)}
    torch.testing.assert_close(found, wanted)
    for one, other in zip(torch.autograd.grad(found.sin().sum(), (q, k, v)), gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_autocast_decides_the_type_that_a_kernel_must_take() -> None:
    x = torch.zeros(1)
    assert attention_kernel._computed_in(x) == FP32
    with torch.autocast("cpu", torch.bfloat16):
        assert attention_kernel._computed_in(x) == BF16


def test_layers_share_the_mask_of_their_window_and_no_checkpoint_has_it() -> None:
    network = Nanochat(num_layers=4, aspect_ratio=8, head_dim=8, short_window=4).build(260, 16)
    masks = {id(block.attention.attend.window) for block in list(network.blocks)[:3]}
    assert len(masks) == 1
    assert not any("seen" in name for name in network.state_dict())
    assert network.blocks[0].attention.attend.seen(5, torch.device("cpu")).shape == (5, 5)
