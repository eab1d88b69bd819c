"""Blocks that are compiled each kind once: the numbers of the whole graph, and graphs that depth does not add to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from benchmarks.gpu.small import FAMILIES
from trainable.compiled_blocks import GRAPHS, many_graphs, with_many_graphs
from trainable.compiled_objective import build_objective
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.evaluation.ttt import TTT
from trainable.hooks.qk_logit_clip import QKLogitClip
from trainable.losses.load_balancing import LoadBalancing
from trainable.objective import next_step
from trainable.report import validation
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.train import train

pytestmark = pytest.mark.filterwarnings("ignore")  # the tracer's own
WHOLE, BLOCKS = Runtime(compile=True), Runtime(compile=True, compile_blocks=True)


def gradients(config: TrainConfig, dataset: Any, runtime: Runtime) -> tuple[float, list[torch.Tensor]]:
    """The loss of the first step from weights that are not at their start, where many gradients are 0."""
    run = Run.start(config, dataset, runtime)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in run.network.parameters():
            p.add_(0.05 * torch.randn(p.shape, generator=draw))
    step, _ = next_step(run, build_objective(run), 0.5)
    loss = float(step.recompute_gradients())
    return loss, [p.grad for p in run.network.parameters() if p.grad is not None]


def small(family: str, tiny: TrainConfig) -> TrainConfig:
    config = dataclasses.replace(tiny, model=FAMILIES[family])
    return dataclasses.replace(config, losses=(LoadBalancing.example(),)) if "experts" in family else config


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("gpt2_rope", "ngpt_campaign")])
def test_by_blocks_the_loss_and_gradients_are_those_of_the_whole_graph(
    family, tiny, dataset, counting_compiler
) -> None:
    config = small(family, tiny)
    loss, wanted = gradients(config, dataset, WHOLE)
    found, got = gradients(config, dataset, BLOCKS)
    assert found == pytest.approx(loss, rel=1e-6)
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("family", ["gpt", "nanochat"])
def test_the_code_that_is_generated_by_blocks_computes_what_the_whole_ones_does(family, tiny, dataset) -> None:
    loss, wanted = gradients(small(family, tiny), dataset, WHOLE)
    found, got = gradients(small(family, tiny), dataset, BLOCKS)
    assert found == pytest.approx(loss, rel=1e-5)
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def num_graphs(config: TrainConfig, dataset: Any, counted: Any, runtime: Runtime = BLOCKS) -> int:
    torch._dynamo.reset()
    counted.frame_count = 0
    build_objective(Run.start(config, dataset, runtime))
    return int(counted.frame_count)


@pytest.mark.parametrize("family", ["gpt", "nanochat"])
def test_more_layers_need_no_more_graphs(family, tiny, dataset, counting_compiler) -> None:
    config = small(family, tiny)
    graphs = [
        num_graphs(with_values(config, {"model.num_layers": layers}), dataset, counting_compiler) for layers in (3, 4)
    ]
    assert graphs[0] == graphs[1] > num_graphs(config, dataset, counting_compiler, WHOLE) == 2


def test_what_a_run_needs_is_compiled_before_its_clock_runs(tiny, dataset, counting_compiler) -> None:
    run = Run.start(dataclasses.replace(tiny, hooks=(QKLogitClip(tau=0.01),)), dataset, BLOCKS)
    reports = train(run, milestones=(2.0,))
    next(reports)
    made = counting_compiler.frame_count
    assert run.compile_seconds > 0
    assert [report.status for report in reports] == ["completed"]
    assert counting_compiler.frame_count == made > 2


def test_test_time_training_calls_no_compiled_block(tiny, dataset, counting_compiler) -> None:
    evaluation = dataclasses.replace(tiny.evaluation, ttt=TTT(chunk_tokens=16, batch_tokens=16, epochs=1))
    config = dataclasses.replace(tiny, evaluation=evaluation)
    run = Run.start(config, dataset, BLOCKS)
    build_objective(run)
    made = counting_compiler.frame_count
    assert validation(run, final=True).loss == validation(Run.start(config, dataset, Runtime()), final=True).loss
    assert counting_compiler.frame_count == made


def test_a_process_keeps_the_graphs_of_more_kinds_of_blocks_than_torch_does_by_default(
    tiny, dataset, counting_compiler
) -> None:
    made: list[int] = []
    with torch._dynamo.config.patch(recompile_limit=2):
        for name in ("Relu2", "SwiGLU", "Gelu"):
            run = Run.start(with_values(tiny, {"model.mlp": name}), dataset, BLOCKS)
            step, _ = next_step(run, build_objective(run), 0.0)
            step.recompute_gradients()
            validation(run)
            made.append(counting_compiler.frame_count)
    assert 0 < made[0] < made[1] < made[2], "a kind of block beyond torch's limit still gets its graph"


def test_the_limit_on_graphs_is_lifted_for_the_time_of_a_call_alone() -> None:
    limit: Callable[[], int] = lambda: torch._dynamo.config.recompile_limit  # noqa: E731
    before = limit()
    assert with_many_graphs(limit)() == GRAPHS
    with many_graphs():
        assert limit() == GRAPHS
    assert limit() == before < GRAPHS
