from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from trainable.evaluation.evaluate import EvaluationConfig
from trainable.hooks.hook import Hook, State, Step
from trainable.hooks.weight_average import WeightAverage
from trainable.networks.network import Network
from trainable.run import Run
from trainable.runtime import Runtime
from trainable.worker import checkpoint


def test_initial_weights_depend_on_the_seed_alone(tiny, dataset, first_difference):
    def weights(**changes) -> list[Tensor]:
        return Run.start(replace(tiny, **changes), dataset, Runtime()).state_dict()["network"]

    torch.manual_seed(5)
    first = weights()
    assert first_difference(first, weights(data=replace(tiny.data, batch_tokens=128), hooks=(WeightAverage(),))) is None
    assert first_difference(first, weights(seed=tiny.seed + 1))


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_the_ends_of_the_range_of_seeds_start_a_run(seed, tiny, run_to_end):
    assert run_to_end(replace(tiny, seed=seed)).last.status == "completed"


def test_windows_of_evaluation_may_be_longer_than_those_of_training(tiny, run_to_end):
    longer = replace(tiny, evaluation=EvaluationConfig(tokens=128, seq_len=64, batch_tokens=64))
    shorter = replace(tiny, evaluation=EvaluationConfig(tokens=128, seq_len=8, batch_tokens=64))
    for config in (longer, shorter):
        assert run_to_end(config).last.status == "completed"


def test_the_length_of_evaluation_windows_changes_no_weight(tiny, run_to_end, first_difference):
    longer = replace(tiny, evaluation=EvaluationConfig(tokens=128, seq_len=64, batch_tokens=64))
    assert first_difference(run_to_end(tiny).numbers["network"], run_to_end(longer).numbers["network"]) is None


@dataclass(frozen=True, kw_only=True)
class Collector(Hook):
    """Keeps what it meets, in a state that is empty at first."""

    abstract: ClassVar[bool] = True  # not among the components of the contract tests

    def start(self, network: Network) -> State:
        return {"last": None, "losses": [], "best": None}

    def after_update(self, step: Step, state: State) -> None:
        state.setdefault("first", step.network.embedding.weight.detach().clone())
        state["last"] = step.network.embedding.weight.detach().clone()
        state["losses"].append(step.progress)
        state["nested"] = {"count": step.index, "tensors": [state["last"].mean()]}
        with torch.no_grad():
            step.network.embedding.weight.lerp_(state["first"], 0.1)


def test_a_state_that_grows_during_training_is_resumed_too(tiny, assert_resumes_identically):
    assert_resumes_identically(replace(tiny, hooks=(Collector(),)))


def test_a_resumed_run_shares_no_memory_with_the_state_it_came_from(tiny, dataset, run_to_end, first_difference):
    config = replace(tiny, hooks=(Collector(),))
    asked = iter([False, False, True])
    broken = run_to_end(config, should_stop=lambda: next(asked)).run
    resumed = Run.start(config, dataset, Runtime())
    resumed.load_state_dict(broken.state_dict())
    before = checkpoint._split(broken.state_dict(), "", tensors := {})
    run_to_end(resumed)
    assert before == checkpoint._split(broken.state_dict(), "", again := {})
    assert first_difference(tensors, again) is None


def test_a_state_of_another_model_is_refused(tiny, dataset):
    smaller = Run.start(replace(tiny, model=replace(tiny.model, num_layers=1)), dataset, Runtime())
    with pytest.raises(ValueError, match="the state is of another model"):
        smaller.load_state_dict(Run.start(tiny, dataset, Runtime()).state_dict())


@dataclass(frozen=True, kw_only=True)
class Zeros(Hook):
    """Wants zeros evaluated."""

    abstract: ClassVar[bool] = True

    def evaluation_weights(self, network: Network, state: State) -> Sequence[Tensor] | None:
        return [torch.zeros_like(p) for p in network.parameters()]


@dataclass(frozen=True, kw_only=True)
class NoOpinion(Hook):
    """Leaves the weights to be evaluated alone."""

    abstract: ClassVar[bool] = True


@pytest.mark.parametrize("hooks", [(Zeros(), NoOpinion()), (NoOpinion(), Zeros()), (WeightAverage(decay=0.5), Zeros())])
def test_evaluation_weights_are_there_inside_and_the_own_ones_after(hooks, tiny, dataset, first_difference):
    run = Run.start(replace(tiny, hooks=hooks), dataset, Runtime())
    before = [p.detach().clone() for p in run.network.parameters()]
    with run.evaluation_weights():
        assert not any(p.any() for p in run.network.parameters())
    assert first_difference(before, list(run.network.parameters())) is None


def test_the_own_weights_come_back_when_the_evaluation_fails(tiny, dataset, first_difference):
    run = Run.start(replace(tiny, hooks=(Zeros(),)), dataset, Runtime())
    before = [p.detach().clone() for p in run.network.parameters()]
    with pytest.raises(RuntimeError, match="out of memory"), run.evaluation_weights():
        raise RuntimeError("out of memory")
    assert first_difference(before, list(run.network.parameters())) is None


def test_without_a_wish_no_weight_is_copied(tiny, dataset):
    run = Run.start(replace(tiny, hooks=(NoOpinion(),)), dataset, Runtime())
    versions = [p._version for p in run.network.parameters()]
    with run.evaluation_weights():
        pass
    assert [p._version for p in run.network.parameters()] == versions


def test_a_precision_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="precision is 'fp16' but must be fp32 or bf16"):
        Runtime(precision="fp16")
