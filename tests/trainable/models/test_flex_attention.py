"""FlexAttention shows the keys that the dense masks show and gives their values; what chooses it needs no device.

Torch computes it on a CPU as well, for a graph that is not generated: with all logits in memory. It refuses gradients
there, of which the tests that want them take the refusal away.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, flex_attention

from trainable.compiled_blocks import compiled_whole
from trainable.compiled_objective import objective_of
from trainable.config import TrainConfig
from trainable.models.gpt import GPT
from trainable.models.nanochat import Nanochat
from trainable.models.query_key_value import SeparateHeads
from trainable.networks import attention_kernel
from trainable.networks.attention_kernel import Kernel, kernel_for
from trainable.networks.causal_attention import CausalAttention, Window, WindowedAttention, allow_flex
from trainable.networks.flex_attention import blocks_of
from trainable.objective import next_step
from trainable.run import Run
from trainable.runtime import Runtime

pytestmark = pytest.mark.filterwarnings("ignore")  # the tracer's own
BF16, FP16, FP32 = torch.bfloat16, torch.float16, torch.float32
FLEX = Kernel(flex=True)


@pytest.mark.parametrize(
    ("dtype", "head_dim", "masked", "flex", "chosen"),
    [
        # nanochat: windows, in each precision; its proxy's heads are too narrow
        (BF16, 128, True, True, "flex"),
        (FP32, 128, True, True, "flex"),
        (BF16, 8, True, True, "EFFICIENT_ATTENTION"),
        # golf: all tokens before, where flash takes the type, and where it does not; and its proxy
        (BF16, 64, False, True, "FLASH_ATTENTION"),
        (FP16, 64, False, True, "FLASH_ATTENTION"),
        (FP32, 64, False, True, "flex"),
        (FP32, 8, False, True, "EFFICIENT_ATTENTION"),
        # the ends of what Triton takes
        (BF16, 16, True, True, "flex"),
        (BF16, 15, True, True, "EFFICIENT_ATTENTION"),
        (BF16, 129, True, True, "EFFICIENT_ATTENTION"),
        # not compiled, or not wanted
        (BF16, 128, True, False, "EFFICIENT_ATTENTION"),
        (FP32, 64, False, False, "EFFICIENT_ATTENTION"),
    ],
)
def test_the_kernel_of_each_case_on_cuda(dtype, head_dim, masked, flex, chosen) -> None:
    found = kernel_for("cuda", dtype, head_dim, masked, flex)
    assert ("flex" if found.flex else found.backends[0].name) == chosen
    assert found.flex is not bool(found.backends) and SDPBackend.MATH not in found.backends


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_elsewhere_it_is_never_chosen(device) -> None:
    assert not kernel_for(device, FP32, 64, True, True).flex


@pytest.mark.parametrize("reach", [None, 1, 100, 128, 200, 1000])
def test_its_mask_shows_the_keys_of_the_dense_one(reach) -> None:
    kernel = CausalAttention() if reach is None else WindowedAttention(Window(reach, 256))
    (blocks,) = blocks_of({256}, kernel.reach, "cpu").values()
    place = torch.arange(256)
    shown = blocks.mask_mod(torch.tensor(0), torch.tensor(0), place[:, None], place)
    assert torch.equal(shown, kernel.seen(256, torch.device("cpu")))
    assert torch.equal(blocks.to_dense()[0, 0].bool(), shown.view(2, 128, 2, 128).amax((1, 3)))  # blocks that are read


def test_there_are_masks_for_whole_blocks_alone_and_layers_with_one_window_share_them() -> None:
    network = Nanochat(num_layers=4, aspect_ratio=8, head_dim=8, short_window=4).build(260, 256)
    allow_flex(network, {256, 128, 100}, "cpu")
    kernels = [block.attention.attend for block in network.blocks]
    assert [sorted(kernel.blocks) for kernel in kernels] == [[128, 256]] * 4
    assert [kernel.blocks is kernels[0].blocks for kernel in kernels] == [True, True, True, False]
    assert not any("blocks" in name for name in network.blocks[0].attention.state_dict())


@pytest.fixture
def flexing(monkeypatch) -> None:
    """Choose FlexAttention on this CPU wherever it would be on CUDA, gradients and all."""
    choose = attention_kernel.kernel_for

    def as_on_cuda(device: str, *call: Any) -> Kernel:
        found = choose("cuda", *call)
        return found if found.flex else Kernel()

    monkeypatch.setattr(attention_kernel, "kernel_for", as_on_cuda)
    monkeypatch.setattr(flex_attention, "_validate_device", lambda *tensors: None)


def num_flexing(counter: Any) -> int:
    """Count the calls of FlexAttention in all graphs that were made."""
    nodes = [node for graph in counter.graphs for node in graph.graph.nodes]
    return sum(node.target is torch.ops.higher_order.flex_attention for node in nodes)


def compiled(kernel: CausalAttention) -> Callable[..., Any]:
    found: Callable[..., Any] = torch.compile(kernel, fullgraph=True, dynamic=False)
    return found


@pytest.mark.usefixtures("flexing")
@pytest.mark.parametrize("reach", [None, 40])
@pytest.mark.parametrize(("heads", "kv_heads", "head_dim"), [(4, 4, 16), (4, 2, 16), (4, 1, 24)])
def test_its_values_and_gradients_are_those_of_the_present_form(
    reach, heads, kv_heads, head_dim, counting_compiler
) -> None:
    q, k, v = (torch.randn(2, 256, count, head_dim, requires_grad=True) for count in (heads, kv_heads, kv_heads))
    kernel = CausalAttention() if reach is None else WindowedAttention(Window(reach, 256))
    kernel.blocks = blocks_of({256}, kernel.reach, "cpu")
    wanted = kernel(q, k, v)  # eager, which has no use for it
    gradients = torch.autograd.grad(wanted.sin().sum(), (q, k, v))
    found = compiled(kernel)(q, k, v)
    assert num_flexing(counting_compiler) == 1
    torch.testing.assert_close(found, wanted)
    for one, other in zip(torch.autograd.grad(found.sin().sum(), (q, k, v)), gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("flexing")
def test_dropped_weights_and_lengths_without_a_mask_fall_back(counting_compiler) -> None:
    for kernel, time in ((CausalAttention(0.5), 128), (CausalAttention(), 100)):
        kernel.blocks = blocks_of({128}, None, "cpu")
        q = torch.randn(1, time, 2, 16)
        compiled(kernel)(q, q, q)
    assert counting_compiler.frame_count == 2 and num_flexing(counting_compiler) == 0


MODELS = {
    "golf": GPT(num_layers=2, model_dim=64, num_heads=4, num_kv_heads=2),
    "nanochat": Nanochat(
        num_layers=2, aspect_ratio=32, head_dim=16, short_window=40, qkv=SeparateHeads(kv_head_divisor=2)
    ),
}


@pytest.mark.parametrize("family", MODELS)
def test_a_step_has_the_loss_it_had_and_the_next_run_of_a_worker_finds_its_graph(
    family, tiny: TrainConfig, dataset, flexing, counting_compiler
) -> None:
    data = dataclasses.replace(tiny.data, seq_len=128, batch_tokens=256)
    config = dataclasses.replace(tiny, model=MODELS[family], data=data)
    graphs, losses = [], []
    for seed, flex in ((1, False), (1, True), (2, True)):
        run = Run.start(dataclasses.replace(config, seed=seed), dataset, Runtime(compile=True))
        if flex:
            allow_flex(run.network, {128}, "cpu")
        objective = compiled_whole(objective_of(run.network, (), 1, "cpu"))
        step, _ = next_step(run, objective, 0.5)
        losses.append(float(step.recompute_gradients()))
        graphs.append(counting_compiler.frame_count)
    assert num_flexing(counting_compiler) == 2
    assert losses[1] == pytest.approx(losses[0], rel=1e-6) and losses[2] != losses[0]
    assert graphs == [1, 2, 2]
