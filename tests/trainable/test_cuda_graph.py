"""A pass that is recorded and replayed is the pass itself; what records it on a GPU is played here by a stand-in."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from trainable import compiled_objective, train
from trainable.compiled_objective import build_objective
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from trainable.cuda_graph import ReplayedPass
from trainable.hooks.sharpness_aware import SharpnessAware
from trainable.hooks.token_masking import TokenMasking
from trainable.models.gpt2 import GPT2
from trainable.objective import next_step, record_pass
from trainable.run import Run
from trainable.runtime import Runtime


class Recorder:
    """Repeats a body into the very tensors that it left at the recording, as a CUDA graph does."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def __call__(self, body: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], None]]:
        self.recorded += 1
        loss = body()
        left = [(p, p.grad) for p in self.parameters]

        def replay() -> None:
            self.replayed += 1
            with torch.enable_grad():  # a graph launches what was launched then
                found = body()
            loss.copy_(found)
            for parameter, gradient in left:
                gradient.copy_(parameter.grad)
                parameter.grad = None  # a replay sets none

        return loss, replay

    def of(self, run: Run) -> Recorder:
        self.parameters = list(run.network.parameters())
        return self


def trained(config: TrainConfig, dataset: Any, recorder: Recorder | None = None) -> tuple[list[float], list[Tensor]]:
    """Losses of the steps, and the weights after them."""
    run = Run.start(config, dataset, Runtime())
    objective = build_objective(run)
    if recorder is not None:
        record_pass(run, objective, recorder.of(run))
    losses = []
    while not run.has_ended:
        step, run.position = next_step(run, objective, config.budget.fraction(run.spent))
        loss = train.take(run, step)
        run.account(loss)
        losses.append(loss)
    return [float(loss) for loss in losses], list(run.network.parameters())


DROPPING = GPT2(dropout=0.2, num_layers=2, model_dim=16, num_heads=2)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"data.grad_accum_steps": 2},
        {"hooks": (SharpnessAware.example(), TokenMasking.example())},
        {"model": DROPPING},
        {"losses.ZLoss.weight": 0.1},
    ],
    ids=["plain", "micro-batches", "hooks that go twice and change the batch", "draws", "a loss term"],
)
def test_replays_train_bit_for_bit_as_without_a_graph(changes, tiny, dataset, monkeypatch) -> None:
    config = dataclasses.replace(tiny, **{k: v for k, v in changes.items() if "." not in k})
    config = with_values(config, {k: v for k, v in changes.items() if "." in k})
    wanted, weights = trained(config, dataset)
    recorder = Recorder()
    losses, found = trained(config, dataset, recorder)
    assert losses == wanted and len(set(losses)) > 1
    assert all(torch.equal(p, q) for p, q in zip(found, weights, strict=True))
    assert (recorder.recorded, recorder.replayed) == (1, len(losses) * (1 + bool(config.hooks)))


def test_losses_and_gradients_that_are_kept_do_not_change_with_the_next_replay(tiny, dataset) -> None:
    run = Run.start(tiny, dataset, Runtime())
    objective = build_objective(run)
    record_pass(run, objective, Recorder().of(run))
    step, run.position = next_step(run, objective, 0.0)
    loss, gradients = step.recompute_gradients(), [p.grad for p in run.network.parameters()]
    before = [loss.clone(), *(g.clone() for g in gradients)]
    next_step(run, objective, 0.0)[0].recompute_gradients()
    assert all(torch.equal(*pair) for pair in zip(before, [loss, *gradients], strict=True))
    assert all(p.grad is not g for p, g in zip(run.network.parameters(), gradients, strict=True))


def test_a_batch_of_another_shape_is_computed_without_the_graph(tiny, dataset) -> None:
    run, other = (Run.start(tiny, dataset, Runtime()) for _ in range(2))
    recorder = Recorder()
    objective = build_objective(run)
    record_pass(run, objective, recorder.of(run))
    losses = []
    for each in (run, other):
        step, _ = next_step(each, build_objective(each) if each is other else objective, 0.0)
        step.inputs, step.targets = step.inputs[:1], step.targets[:1]
        losses.append(float(step.recompute_gradients()))
    assert losses[0] == losses[1] and recorder.replayed == 0


def test_a_recording_holds_no_run(tiny, dataset) -> None:
    run = Run.start(tiny, dataset, Runtime())
    record_pass(run, build_objective(run), lambda body: (body(), lambda: None))
    held, recorded = weakref.ref(run), run.replayed_pass
    gc.disable()
    try:
        del run
        assert held() is None and isinstance(recorded, ReplayedPass)
    finally:
        gc.enable()


@pytest.mark.parametrize("compile", [False, True])
def test_a_run_by_cuda_graphs_records_its_pass_before_its_clock_runs(
    compile, tiny, dataset, monkeypatch, counting_compiler
) -> None:
    seen: list[bool] = []

    def recorded(run: Run, objective: Any) -> None:
        seen.append(counting_compiler.frame_count > 0)
        record_pass(run, objective, Recorder().of(run))

    monkeypatch.setattr(compiled_objective, "record_pass", recorded)
    run = Run.start(tiny, dataset, Runtime(compile=compile))
    object.__setattr__(run.runtime, "cuda_graphs", True)  # past the check: there is no device here
    reports = list(train.train(run))
    assert seen == [compile]  # once, and what is recorded is compiled
    assert run.compile_seconds > 0 and reports[-1].status == "completed"
    assert "replayed_pass" not in run.state_dict()
