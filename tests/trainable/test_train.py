from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
import torch._dynamo

from trainable import train as train_module
from trainable.config import Budget, TrainConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.hooks.hook import Hook, State, Step
from trainable.hooks.weight_average import WeightAverage
from trainable.hooks.weight_perturbation import WeightPerturbation
from trainable.losses.label_smoothing import LabelSmoothing
from trainable.losses.z_loss import ZLoss
from trainable.networks.network import Network
from trainable.optimizers.muon_adam import MuonAdam
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.schedules import Constant, Cosine, Tidal
from trainable.train import train

# --- milestones and budgets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "milestones", "steps"),
    [
        (Budget(steps=10), [2, 5, 8], [2, 5, 8, 10]),
        (Budget(steps=10), [5, 5, 10], [5, 10]),
        (Budget(steps=10), [], [10]),
        (Budget(steps=10), [0, 11, 100], [10]),
        (Budget(tokens=640), [64, 128, 512], [1, 2, 8, 10]),
        (Budget(tokens=600), [65, 130], [2, 3, 10]),  # a milestone between two steps is reported after the later one
        (Budget(tokens=640), [10, 20, 200], [1, 4, 10]),  # of several passed by one step, the furthest
        (Budget(steps=10, tokens=256), [2], [2, 4]),
        (Budget(epochs=0.256), [0.0512, 0.1], [2, 4, 10]),  # of 2,500 tokens
    ],
)
def test_each_milestone_is_reported_once_and_at_its_step(budget, milestones, steps, tiny, run_to_end):
    reports = run_to_end(replace(tiny, budget=budget), milestones).reports
    assert [r.step for r in reports] == steps
    assert [r.status for r in reports] == ["running"] * (len(steps) - 1) + ["completed"]
    assert [r.tokens for r in reports] == [64 * step for step in steps]


def test_a_report_bears_its_milestone_and_the_last_one_the_budget(tiny, run_to_end):
    reports = run_to_end(replace(tiny, budget=Budget(tokens=600)), [65, 130, 64]).reports
    assert [r.milestone for r in reports] == [64, 65, 130, 600]


def test_milestones_in_flops_come_when_the_models_count_says_so(tiny, run_to_end, dataset):
    a_step = 64 * tiny.model.flops_per_token(dataset.vocab_size, 16)
    config = replace(tiny, budget=Budget(flops=5 * a_step))
    reports = run_to_end(config, [2 * a_step, 2 * a_step + 1]).reports
    assert [(r.step, r.flops) for r in reports] == [(s, s * a_step) for s in (2, 3, 5)]


def test_the_train_loss_is_the_mean_since_the_last_report(tiny, run_to_end):
    each = [r.train_loss for r in run_to_end(tiny, range(1, 7)).reports]
    reports = run_to_end(tiny, [2]).reports
    assert [r.train_loss for r in reports] == pytest.approx([sum(each[:2]) / 2, sum(each[2:]) / 4])


class Clock:
    """Time as the loop reads it: some seconds pass at every look, and some more while the device is waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, look: float, wait: float = 0.0) -> None:
        self.now, self.look, self.wait = 1000.0, look, wait
        monkeypatch.setattr(train_module.time, "perf_counter", self.read)
        monkeypatch.setattr(Runtime, "synchronize", self.synchronize)

    def read(self) -> float:
        self.now += self.look
        return self.now

    def synchronize(self, *args) -> None:
        self.now += self.wait


def test_a_budget_of_seconds_ends_the_run_with_a_report(tiny, run_to_end, monkeypatch):
    Clock(monkeypatch, look=1.0)
    reports = run_to_end(replace(tiny, budget=Budget(seconds=7.5)), [2, 5.5]).reports
    assert [(r.status, r.milestone) for r in reports] == [("running", 2), ("running", 5.5), ("completed", 7.5)]
    assert reports[-1].seconds >= 7.5 and reports[-1].step == 6  # a look a step, and one more after each wait


def test_a_wait_for_the_device_that_uses_up_the_budget_still_ends_in_a_report(tiny, run_to_end, monkeypatch):
    Clock(monkeypatch, look=1.0, wait=50.0)  # the loss is first looked at in step 10
    reports = run_to_end(replace(tiny, budget=Budget(seconds=30.0))).reports
    assert [(r.status, r.step) for r in reports] == [("completed", 10)]


def test_evaluation_and_whoever_reads_the_reports_cost_no_training_time(tiny, dataset, monkeypatch):
    clock = Clock(monkeypatch, look=1.0)
    run = Run.start(tiny, dataset, Runtime())
    seconds = []
    for report in train(run, range(1, 7)):
        seconds.append(report.seconds)
        clock.now += 1000.0
    assert seconds == [2.0 * step for step in range(1, 7)]
    assert run.eval_seconds == 6.0


def test_seconds_go_on_where_they_stood_after_a_resume(tiny, dataset, run_to_end, monkeypatch):
    Clock(monkeypatch, look=1.0)
    run = Run.start(replace(tiny, budget=Budget(steps=6, seconds=1e6)), dataset, Runtime())
    first = next(train(run, [3]))
    resumed = Run.start(run.config, dataset, Runtime())
    resumed.load_state_dict(run.state_dict())
    assert run_to_end(resumed).last.seconds == first.seconds + 4.0


# --- schedules and horizons -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "recorded"), [(Cosine(), 0.41), (Tidal(), 0.76)])
def test_a_horizon_longer_than_the_budget_cuts_the_schedule_where_it_was_cut(schedule, recorded, tiny, run_to_end):
    config = replace(tiny, schedule=schedule, budget=Budget(steps=240), horizon=Budget(steps=400))
    last = run_to_end(replace(config, model=replace(tiny.model, num_layers=1, model_dim=8))).last
    assert last.status == "completed" and last.step == 240 and last.progress == 1
    assert last.multiplier == schedule(239 / 400) == pytest.approx(recorded, abs=0.005)


def test_a_horizon_equal_to_the_budget_is_the_default(tiny, run_to_end, first_difference):
    apart = run_to_end(replace(tiny, horizon=tiny.budget)).numbers
    assert first_difference(apart, run_to_end(tiny).numbers) is None


def test_past_a_short_horizon_the_rate_stays_on_the_floor(tiny, run_to_end):
    reports = run_to_end(replace(tiny, horizon=Budget(tokens=128)), range(1, 7)).reports
    assert [r.multiplier for r in reports][2:] == [pytest.approx(0.1)] * 4


# --- determinism ------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tiny, run_to_end, first_difference):
    first, again = run_to_end(tiny).numbers, run_to_end(tiny).numbers
    other = run_to_end(replace(tiny, seed=1)).numbers
    assert first_difference(first, again) is None
    assert first_difference(first["network"], other["network"])


def test_the_global_generator_neither_matters_nor_moves(tiny, run_to_end, first_difference):
    first = run_to_end(replace(tiny, hooks=(WeightPerturbation.example(),))).numbers
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = run_to_end(replace(tiny, hooks=(WeightPerturbation.example(),))).numbers
    assert first_difference(first, again) is None
    assert torch.equal(before, torch.get_rng_state())


def test_evaluating_more_often_changes_no_weight(tiny, run_to_end, first_difference):
    config = replace(tiny, hooks=(WeightAverage(decay=0.5), WeightPerturbation.example()))
    seldom, often = run_to_end(config).numbers, run_to_end(config, range(1, 6)).numbers
    for part in ("network", "optimizer", "hooks", "generator", "position"):
        assert first_difference(seldom[part], often[part]) is None
    assert seldom["report"]["val_loss"] == often["report"]["val_loss"]


def test_training_learns_what_the_tokens_hold(tiny, run_to_end):
    reports = run_to_end(replace(tiny, budget=Budget(steps=60)), [1]).reports
    assert reports[-1].val_loss < reports[0].val_loss - 0.3


# --- gradient accumulation --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [2, 4])
def test_micro_batches_give_the_gradient_of_the_whole_batch(parts, tiny, dataset, run_to_end):
    config = replace(tiny, losses=(ZLoss(weight=0.01), LabelSmoothing(weight=0.1)))
    cut = replace(config, data=replace(config.data, grad_accum_steps=parts))
    gradients = []
    for c in (config, cut):
        run = Run.start(c, dataset, Runtime())
        step, _ = train_module.next_step(run, train_module.build_objective(run), 0.0)
        loss = step.recompute_gradients()
        gradients.append([loss, *(p.grad for p in run.network.parameters())])
    torch.testing.assert_close(*gradients)
    assert run_to_end(cut).last.val_loss == pytest.approx(run_to_end(config).last.val_loss, rel=1e-3)


# --- divergence -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Poison(Hook):
    """Writes a value into one weight after a step."""

    abstract: ClassVar[bool] = True  # not among the components of the contract tests

    value: float = float("nan")
    at_step: int = 2

    def after_update(self, step: Step, state: State) -> None:
        if step.index == self.at_step:
            with torch.no_grad():
                step.network.embedding.weight[:] = self.value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_is_a_status_and_the_end(value, tiny, run_to_end):
    config = replace(tiny, budget=Budget(steps=40), hooks=(Poison(value=value),))
    reports = run_to_end(config, [2, 20, 30]).reports
    assert [(r.status, r.step) for r in reports] == [("running", 2), ("diverged", 10)]
    assert reports[-1].reason == "train loss is not finite at step 10"
    assert reports[-1].val_loss is None


def test_weights_broken_by_the_last_step_are_found_by_the_evaluation(tiny, run_to_end):
    reports = run_to_end(replace(tiny, hooks=(Poison(at_step=5),)), [2]).reports
    assert [(r.status, r.step) for r in reports] == [("running", 2), ("diverged", 6)]
    assert reports[-1].reason == "validation loss is not finite at step 6"


def test_weights_broken_right_before_a_milestone_end_the_run_there(tiny, run_to_end):
    reports = run_to_end(replace(tiny, hooks=(Poison(at_step=1),)), [2, 4]).reports
    assert [(r.status, r.step) for r in reports] == [("diverged", 2)]


@pytest.mark.parametrize("hooks", [(), (GradientClip(max_norm=1.0), WeightAverage(decay=0.9))])
def test_an_absurd_rate_ends_in_a_status_whatever_it_is(hooks, tiny, run_to_end):
    rates = MuonAdam(matrix_lr=1e20, scalar_lr=1e20, tied_embed_lr=1e20)
    reports = run_to_end(replace(tiny, optimizer=rates, hooks=hooks), range(1, 7)).reports
    assert reports[-1].status == "diverged" and reports[-1].reason
    assert all(r.status == "running" and math.isfinite(r.val_loss) for r in reports[:-1])


# --- stopping and going on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(6))
def test_an_interrupted_run_goes_on_to_the_very_same_end(after, tiny, dataset, run_to_end, first_difference):
    config = replace(tiny, hooks=(WeightPerturbation.example(), WeightAverage.example()))
    straight = run_to_end(config, [2, 4])
    asked = iter([False] * after + [True])
    broken = run_to_end(config, [2, 4], should_stop=lambda: next(asked))
    assert (broken.last.status, broken.last.step, broken.last.milestone) == ("interrupted", after, after)
    resumed = Run.start(config, dataset, Runtime())
    resumed.load_state_dict(broken.run.state_dict())
    ended = run_to_end(resumed, [2, 4])
    assert first_difference(straight.numbers, ended.numbers) is None
    assert [r.step for r in broken.reports[:-1] + ended.reports] == [2, 4, 6]


def test_a_finished_run_has_nothing_more_to_report(tiny, run_to_end):
    ended = run_to_end(tiny)
    assert run_to_end(ended.run).reports == []


# --- precision and compilation ----------------------------------------------------------------------------------------


def test_bf16_trains_near_fp32_and_resumes_identically(tiny, run_to_end, assert_resumes_identically):
    bf16 = Runtime(precision="bf16")
    ended = run_to_end(replace(tiny, budget=Budget(steps=20)), runtime=bf16)
    assert ended.run.network.embedding.weight.dtype == torch.bfloat16
    assert ended.last.val_loss == pytest.approx(
        run_to_end(replace(tiny, budget=Budget(steps=20))).last.val_loss, rel=0.02
    )
    assert_resumes_identically(replace(tiny, hooks=(WeightAverage.example(), GradientClip.example())), bf16)


class Backend:
    """Stands in for the compiler: counts the graphs and runs them with one of torch's own backends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.graphs = 0
        self.arguments: list[dict] = []
        self.run = torch._dynamo.lookup_backend(name)
        compile = torch.compile

        def instead(function, **arguments):
            self.arguments.append(arguments)
            return compile(function, backend=self, **arguments)

        monkeypatch.setattr(torch, "compile", instead)

    def __call__(self, graph, inputs):
        self.graphs += 1
        return self.run(graph, inputs)


EVERYTHING = {
    "losses": (ZLoss(weight=0.01), LabelSmoothing(weight=0.1)),
    "hooks": (WeightPerturbation.example(), GradientClip.example(), WeightAverage.example()),
    "schedule": Tidal(),
}


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["bare", "everything"])
@pytest.mark.filterwarnings("ignore")  # the tracer's own
def test_one_graph_serves_a_whole_run_and_computes_the_same(
    backend, changes, tiny, run_to_end, monkeypatch, fresh_compiler
):
    config = replace(tiny, data=replace(tiny.data, grad_accum_steps=2), **changes)
    eager = run_to_end(config, range(1, 7)).reports
    compiler = Backend(monkeypatch, backend)
    compiled = run_to_end(config, range(1, 7), runtime=Runtime(compile=True)).reports
    assert compiler.graphs == 2  # the step, and the evaluation
    assert all(
        given == {"fullgraph": True, "dynamic": False} for given in compiler.arguments
    )  # the step, and the evaluation
    for a, b in zip(eager, compiled, strict=True):
        assert (b.train_loss, b.val_loss) == pytest.approx((a.train_loss, a.val_loss), rel=2e-4)


def test_values_of_rates_and_loss_weights_share_a_graph(tiny, run_to_end, monkeypatch, fresh_compiler):
    compiler = Backend(monkeypatch, "eager")
    for value in (0.001, 0.01, 0.02):
        config = replace(
            tiny, losses=(ZLoss(weight=value),), optimizer=MuonAdam(matrix_lr=value), seed=int(value * 1000)
        )
        run_to_end(config, runtime=Runtime(compile=True))
    assert compiler.graphs == 2  # the step, and the evaluation


def test_a_process_may_compile_more_structures_than_torch_keeps_by_default(
    tiny, run_to_end, monkeypatch, fresh_compiler
):
    compiler, limit = Backend(monkeypatch, "eager"), 2
    with torch._dynamo.config.patch(recompile_limit=limit):
        for i in range(limit + 2):
            model = replace(tiny.model, num_layers=1, num_kv_heads=1, logit_softcap=20.0, mlp_mult=1.0 + i / 8)
            config = replace(tiny, model=model, budget=Budget(steps=1))
            assert run_to_end(config, runtime=Runtime(compile=True)).last.status == "completed"
        assert torch._dynamo.config.recompile_limit == limit
    assert compiler.graphs == 2 * (limit + 2)  # the step, and the evaluation


def test_compiling_changes_nothing_but_the_clock(tiny, dataset, monkeypatch, fresh_compiler, first_difference):
    """The warm-up that compiles reads a batch and leaves no trace in weights, states, stream or generator."""
    Backend(monkeypatch, "eager")
    run = Run.start(replace(tiny, hooks=EVERYTHING["hooks"]), dataset, Runtime(compile=True))
    fresh = Run.start(run.config, dataset, Runtime())
    train_module.build_objective(run)
    seconds = run.compile_seconds
    assert seconds > 0
    run.compile_seconds = 0.0
    assert first_difference(run.state_dict(), fresh.state_dict()) is None


# --- what hooks are given ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Witness(Hook):
    """Writes down what it sees, in its state and in the report."""

    abstract: ClassVar[bool] = True

    def start(self, network: Network) -> State:
        return {"moments": [], "seen": []}

    def before_forward(self, step: Step, state: State) -> None:
        state["moments"].append("before_forward")
        state["seen"].append([step.index, step.progress, step.multiplier, tuple(step.inputs.shape)])

    def after_backward(self, step: Step, state: State) -> None:
        state["moments"].append("after_backward")
        assert all(p.grad is not None for p in step.parameters())

    def after_update(self, step: Step, state: State) -> None:
        state["moments"].append("after_update")
        step.log("steps_seen", float(step.index + 1))


def test_a_hook_sees_each_moment_of_each_step_in_order(tiny, run_to_end):
    ended = run_to_end(replace(tiny, hooks=(Witness(),)), [3])
    state = ended.run.hook_states["Witness"]
    assert state["moments"] == ["before_forward", "after_backward", "after_update"] * 6
    assert state["seen"] == [[i, i / 6, Cosine()(i / 6), (4, 16)] for i in range(6)]
    assert [r.logged for r in ended.reports] == [{"steps_seen": 3.0}, {"steps_seen": 6.0}]


@dataclass(frozen=True, kw_only=True)
class SameBatchAgain(Hook):
    """Replaces every batch by zeros."""

    abstract: ClassVar[bool] = True

    def before_forward(self, step: Step, state: State) -> None:
        step.inputs, step.targets = torch.zeros_like(step.inputs), torch.zeros_like(step.targets)


def test_a_batch_replaced_by_a_hook_is_the_one_that_is_trained_on(tiny, run_to_end):
    ended = run_to_end(replace(tiny, budget=Budget(steps=30), schedule=Constant(), hooks=(SameBatchAgain(),)), [29])
    assert ended.last.train_loss < 1.0 < ended.last.val_loss


def test_the_defaults_of_a_run_are_a_config_of_their_own():
    assert TrainConfig().horizon is None and TrainConfig().budget == Budget(steps=240)
