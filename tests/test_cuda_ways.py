"""What must hold on a CUDA device of the ways to run a step: ``pytest -m gpu``. Skipped where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchmarks.gpu.small import FAMILIES, start, tiny
from benchmarks.gpu.steps import apart, copy_weights, gradients_of, shake
from trainable.networks.causal_attention import CausalAttention, Window, WindowedAttention
from trainable.networks.flex_attention import blocks_of
from trainable.runtime import Runtime
from trainable.train import train

CUDA = "cuda"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.filterwarnings("ignore"),  # of Inductor, about this GPU
]
WAYS = {
    "blocks": {"compile": True, "compile_blocks": True},
    "CUDA graph": {"cuda_graphs": True},
    "whole, CUDA graph": {"compile": True, "cuda_graphs": True},
    "FlexAttention": {"compile": True, "flex_attention": True},
}


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("family", ["gpt", "nanochat_grouped"])
@pytest.mark.parametrize("way", WAYS)
def test_a_step_has_the_loss_and_gradients_of_the_eager_one(family, way) -> None:
    config = tiny(model=FAMILIES[family])
    data = replace(config.data, seq_len=128)
    config = replace(config, data=data)
    eager, other = start(config, Runtime(CUDA)), start(config, Runtime(CUDA, **WAYS[way]))
    shake(eager)
    copy_weights(eager, other)
    loss, wanted = gradients_of(eager)
    its, got = gradients_of(other)
    assert its == pytest.approx(loss, abs=1e-3)
    assert apart(got, wanted)["relative"] < 0.01


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_replays_train_as_steps_do_and_draw_what_they_draw(precision) -> None:
    model = replace(FAMILIES["gpt2"], dropout=0.1)
    losses = [
        [report.val_loss for report in train(start(tiny(model=model), Runtime(CUDA, precision, cuda_graphs=graphs)))]
        for graphs in (False, True)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("reach", [None, 100])
@pytest.mark.parametrize(("dtype", "off"), [(torch.bfloat16, 0.05), (torch.float32, 1e-3)])
def test_generated_attention_is_that_of_the_cpu(reach, dtype, off) -> None:
    kernel = CausalAttention() if reach is None else WindowedAttention(Window(reach, 256))
    q, k, v = (torch.randn(2, 256, heads, 64) for heads in (4, 2, 2))
    wanted = kernel(q, k, v)
    kernel = kernel.to(CUDA)
    kernel.blocks = blocks_of({256}, reach, CUDA)
    here = [x.to(CUDA, dtype).requires_grad_() for x in (q, k, v)]
    found = torch.compile(kernel, fullgraph=True, dynamic=False)(*here)
    found.float().square().sum().backward()
    torch.testing.assert_close(found.float().cpu(), wanted, atol=off, rtol=off)
    assert all(x.grad is not None and x.grad.isfinite().all() for x in here)
