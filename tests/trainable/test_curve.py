"""The training curve of a run: what it says of each step, which steps it keeps, and that recording changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainable import monitors, thinning
from trainable.config import Budget, TrainConfig
from trainable.curve import CurveRecorder
from trainable.hooks.gradient_clip import GradientClip
from trainable.hooks.synaptic_scaling import SynapticScaling
from trainable.monitors import Monitors
from trainable.recording import StepRecording, norm_of
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.schedules import Cosine
from trainable.thinning import POINTS_OF_A_CURVE, Thinning
from trainable.train import train
from trainable.worker import checkpoint
from trainable.worker.fidelity import Branch, Complete, Truncate


@pytest.fixture
def start(dataset: Any) -> Callable[[TrainConfig], Run]:
    return lambda config: Run.start(config, dataset, Runtime(), Monitors(()))


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> int:
    """Curves of at most 8 points, so that short runs are thinned."""
    monkeypatch.setattr(thinning, "POINTS_OF_A_CURVE", 8)
    monkeypatch.setattr(monitors, "MONITORED_POINTS", 2)
    return 8


def trained(run: Run, *milestones: float) -> dict[str, Any]:
    list(train(run, milestones))
    return run.curve.plain()


# --- what is kept -----------------------------------------------------------------------------------------------------


def kept_of(count: int) -> list[int]:
    """The rule, said once more: of so many points every 2^k-th from the first, at most so many."""
    stride = 1
    while -(-count // stride) > POINTS_OF_A_CURVE:
        stride *= 2
    return list(range(0, count, stride))


@pytest.mark.parametrize("count", [0, 1, 2, 499, 500, 501, 502, 999, 1000, 1001, 1002, 2001, 5003, 70_001])
def test_points_are_thinned_by_their_order_alone(count: int) -> None:
    found, rule = [], Thinning()
    for point in range(count):
        if rule.keeps_next:
            if rule.makes_room():
                found = found[::2]
            assert len(found) == rule.kept, "where it is put"
            found.append(point)
        rule.seen += 1
    assert found == kept_of(count) and len(found) == rule.kept <= POINTS_OF_A_CURVE


def test_a_curve_has_the_numbers_of_the_steps_that_it_keeps(fewer: int) -> None:
    curve = CurveRecorder()
    weight = torch.nn.Parameter(torch.zeros(1))
    for index in range(37):
        weight.grad = torch.tensor([float(-index)])
        network = SimpleNamespace(parameters=lambda: [weight])
        step: Any = SimpleNamespace(index=index, multiplier=index / 2, rate_factor=None, network=network)
        config = SimpleNamespace(data=SimpleNamespace(batch_tokens=10))
        group = SimpleNamespace(name="all", lr=0.5)
        run: Any = SimpleNamespace(curve=curve, monitors=Monitors(()), config=config, groups=[group])
        StepRecording(run, step, torch.tensor(float(index))).end()
    kept = list(range(0, 37, 8))
    assert curve.plain() == {
        "steps": [k + 1 for k in kept],
        "tokens": [10 * (k + 1) for k in kept],
        "values": {
            "loss": [float(k) for k in kept],
            "gradient_norm": [float(k) for k in kept],
            "learning_rate.all": [k / 4 for k in kept],
        },
        "units": {
            "loss": "nats/token",
            "gradient_norm": "nats/token per unit of weight",
            "learning_rate.all": "factor",
        },
        "measured_at": {},
    }


@pytest.mark.parametrize("milestones", [(), (1,), (3, 4, 5, 19), tuple(range(1, 20))])
def test_which_steps_are_kept_does_not_depend_on_reports(milestones, tiny, start, fewer) -> None:
    config = replace(tiny, budget=Budget(steps=20))
    assert trained(start(config), *milestones) == trained(start(config))


# --- what is said -----------------------------------------------------------------------------------------------------


def test_the_loss_is_that_of_the_reports(tiny, start) -> None:
    run = start(replace(tiny, budget=Budget(steps=6)))
    reports = list(train(run, [2, 4]))
    losses = run.curve.plain()["values"]["loss"]
    assert run.curve.plain()["steps"] == [1, 2, 3, 4, 5, 6]
    for number, report in enumerate(reports):
        assert report.train_loss == pytest.approx(sum(losses[2 * number : 2 * number + 2]) / 2, rel=1e-6)
    assert run.curve.plain()["tokens"][-1] == reports[-1].tokens


def test_rates_are_those_of_the_groups_by_name_times_the_schedule(tiny, start) -> None:
    config = replace(tiny, budget=Budget(steps=5), schedule=Cosine())
    run = start(config)
    values = trained(run)["values"]
    assert {name for name in values if name.startswith("learning_rate.")} == {
        f"learning_rate.{group.name}" for group in run.groups
    }
    for group in run.groups:
        assert values[f"learning_rate.{group.name}"] == [group.lr * Cosine()(step / 5) for step in range(5)]
    assert values["learning_rate.matrix"][0] == config.optimizer.matrix_lr > values["learning_rate.matrix"][-1]


def test_the_rate_is_the_one_that_was_applied_where_a_hook_takes_it_over(tiny, start) -> None:
    hook = SynapticScaling(strength=1.0, after_step=1, takes_over_rate=True)
    run = start(replace(tiny, budget=Budget(steps=5), schedule=Cosine(), hooks=(hook,)))
    reports = list(train(run, [1, 2, 3, 4]))
    rates = run.curve.plain()["values"]["learning_rate.matrix"]
    assert rates == [pytest.approx(tiny.optimizer.matrix_lr * report.multiplier, rel=1e-12) for report in reports]
    assert rates[2] != tiny.optimizer.matrix_lr * Cosine()(2 / 5)


def test_the_norm_is_the_one_before_clipping(tiny, start) -> None:
    clipped = replace(tiny, budget=Budget(steps=3), hooks=(GradientClip(max_norm=1e-3),))
    run = start(clipped)
    (*_, last) = train(run, [1, 2])
    assert run.curve.plain()["values"]["gradient_norm"][-1] == pytest.approx(last.logged["gradient_norm"], rel=1e-5)
    assert last.logged["gradient_norm"] > 1e-2


def test_the_norm_of_numbers_in_bfloat16_is_taken_in_float32() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(1000, dtype=kind)) for kind in (torch.bfloat16, torch.float32)]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    found = norm_of([p.grad for p in parameters if p.grad is not None])
    assert found.dtype == torch.float32 and float(found) == pytest.approx(2000**0.5, rel=1e-6)  # bfloat16: 44.75


def test_a_run_that_diverges_says_so_in_its_curve(tiny, start) -> None:
    hot = replace(tiny, budget=Budget(steps=30), optimizer=replace(tiny.optimizer, matrix_lr=1e18, scalar_lr=1e18))
    run = start(hot)
    (*_, last) = train(run)
    assert last.status == "diverged"
    curve = run.curve.plain()
    assert curve["steps"] == list(range(1, last.step + 1))
    assert not torch.tensor(curve["values"]["loss"]).isfinite().all()


# --- what it costs and changes ----------------------------------------------------------------------------------------


class NoReads(TorchDispatchMode):
    """Fails on whatever would wait for the device."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert "_local_scalar_dense" not in str(function) and "nonzero" not in str(function), function
        return function(*args, **(kwargs or {}))


def test_a_step_is_recorded_without_reading_from_the_device(tiny, start, fewer, monkeypatch) -> None:
    begun, ended = StepRecording.__init__, StepRecording.end

    def watched(does: Callable[..., None]) -> Callable[..., None]:
        def watching(*arguments: Any) -> None:
            with NoReads():
                does(*arguments)

        return watching

    monkeypatch.setattr(StepRecording, "__init__", watched(begun))
    monkeypatch.setattr(StepRecording, "end", watched(ended))
    assert len(trained(start(replace(tiny, budget=Budget(steps=20))))["steps"]) == 5


def test_training_is_the_same_without_it(tiny, start, first_difference) -> None:
    recorded = start(tiny)
    reports = list(train(recorded, [1]))
    without = start(tiny)
    without.curve = CurveRecorder.of_nothing()
    again = list(train(without, [1]))
    states = [{**run.state_dict(), "curve": None, "spent": None, "eval_seconds": None} for run in (recorded, without)]
    assert first_difference(*states) is None
    assert [(r.train_loss, r.val_loss) for r in reports] == [(r.train_loss, r.val_loss) for r in again]


def test_a_compiled_step_is_one_graph_with_it(tiny, start, fewer, counting_compiler) -> None:
    run = Run.start(replace(tiny, budget=Budget(steps=20)), start(tiny).dataset, Runtime(compile=True))
    assert len(trained(run, 3, 11)["steps"]) == 5
    assert counting_compiler.frame_count == 2  # the step, and the evaluation


# --- resuming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 7, 8, 9, 16, 17, 30])
def test_a_resumed_run_has_the_curve_of_one_that_was_not_interrupted(steps, tiny, start, fewer, tmp_path) -> None:
    config = replace(tiny, budget=Budget(steps=33))
    whole = trained(start(config))
    broken, seen = start(config), []
    list(train(broken, [2, 20], lambda: seen.append(1) or len(seen) > steps))
    checkpoint.save(tmp_path, "c", broken.state_dict(), "key")
    resumed = start(config)
    resumed.load_state_dict(checkpoint.load(tmp_path / "c", "key"))
    assert resumed.curve.plain() == broken.curve.plain() and broken.spent.steps == steps
    assert trained(resumed, 2, 20) == whole


def test_a_state_that_was_taken_is_not_changed_by_what_follows(tiny, start, fewer) -> None:
    config = replace(tiny, budget=Budget(steps=20))
    run, other = start(config), start(config)
    reports = train(run, [8])
    next(reports)
    other.load_state_dict(run.state_dict())
    before = other.curve.plain()
    list(reports)
    assert other.curve.plain() == before and before["steps"] == list(range(1, 9))


# --- fidelities -------------------------------------------------------------------------------------------------------


def test_the_curve_of_a_branched_run_is_that_of_the_run_itself(tiny, start) -> None:
    config = replace(tiny, budget=Budget(steps=12))
    curves = []
    for kind in (Truncate, Branch):
        fidelity = kind(config, start, [4, 8])
        curves.append([(list(report.extra), fidelity.run.curve.plain())[1] for report in fidelity.reports()])
    assert curves[0] == curves[1] and [len(c["steps"]) for c in curves[0]] == [4, 8, 12]


def test_with_runs_of_their_own_for_rungs_it_is_of_the_one_that_was_judged_last(tiny, start) -> None:
    config = replace(tiny, budget=Budget(steps=12), schedule=Cosine())
    fidelity = Complete(config, start, [4, 8])
    found = [fidelity.run.curve.plain() for _ in fidelity.reports()]
    assert [len(curve["steps"]) for curve in found] == [4, 8, 12]
    rates = [curve["values"]["learning_rate.matrix"] for curve in found]
    assert rates[0] != rates[2][:4] and rates[2] == trained(start(config))["values"]["learning_rate.matrix"]
