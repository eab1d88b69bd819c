"""The section ``graphs``: a proxy's step as one CUDA graph at fixed rates, which shows what launching kernels costs."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.gpu.context import Context
from benchmarks.gpu.figures import Figures, attempt
from benchmarks.gpu.golf import golf, golf_data, rated
from benchmarks.gpu.small import start
from trainable.compiled_objective import build_objective
from trainable.config import TrainConfig
from trainable.data.dataset import batch
from trainable.optimizers import update_rule
from trainable.run import Run

WARM_UP_STEPS, TIMES = 3, 40


def graphs(context: Context) -> Figures:
    """The same step with and without a graph, eager and compiled."""
    if not context.cuda:
        return {"skipped": "needs CUDA"}
    found: Figures = {}
    for name, compile in (("eager", False), ("compiled", True)):
        context.fresh()
        found[name] = attempt(_graph, context, compile)
    return found


def _graph(context: Context, compile: bool) -> Figures:
    config = golf(context, "proxy")
    whole = _fixed_step(context, config, compile)
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # a graph is captured after steps on another stream than the usual one
        for _ in range(WARM_UP_STEPS):
            whole()
    torch.cuda.current_stream().wait_stream(side)
    plain = context.throughput(whole, WARM_UP_STEPS, TIMES)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        whole()
    replayed = context.throughput(graph.replay, WARM_UP_STEPS, TIMES)
    return {"without_graph": rated(context, plain, config), "with_graph": rated(context, replayed, config)}


def _fixed_step(context: Context, config: TrainConfig, compile: bool) -> Callable[[], None]:
    """A step that reads nothing from the host: the same batch and rates each time."""
    run: Run = start(config, context.bf16, golf_data(context))
    objective = build_objective(run)
    if compile:
        objective = torch.compile(objective, fullgraph=True, dynamic=False)
    inputs, targets = (x.to(context.device) for x in batch(run.dataset.train, 0, config.data)[:2])
    progress = torch.zeros((), device=context.device)

    def whole() -> None:
        for p in run.network.parameters():
            p.grad = None
        with run.runtime.autocast():
            loss, _ = objective(inputs, targets, progress)
        loss.backward()  # type: ignore[no-untyped-call]
        update_rule.update(run.groups, run.optimizer_states, 1.0, 10, 0.5)

    return whole
