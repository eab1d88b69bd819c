"""No step makes the host wait for the device: what a step computes stays there until a report reads it.

Seen on a CPU too, by the operations that torch dispatches (benchmarks/gpu/waiting.py). One wait a step leaves a GPU
idle while the host prepares the next one.
"""

from __future__ import annotations

import dataclasses
import gc
import weakref
from typing import Any
from unittest import mock

import pytest
import torch

from benchmarks.gpu.waiting import Waits
from trainable import objective, train
from trainable.compiled_objective import build_objective
from trainable.component import components
from trainable.config import Budget, TrainConfig
from trainable.hooks import hook
from trainable.hooks.hook import Step
from trainable.hooks.synaptic_scaling import SynapticScaling
from trainable.run import Run
from trainable.runtime import Runtime

STEPS = 5
TAKES_OVER = dataclasses.replace(SynapticScaling.example(), takes_over_rate=True)


def variants(kind: Any) -> list[Any]:
    """The example of a hook, and with each of its switches the other way."""
    example = kind.example()
    switches = [f.name for f in dataclasses.fields(kind) if isinstance(getattr(example, f.name), bool)]
    return [example, *(dataclasses.replace(example, **{name: not getattr(example, name)}) for name in switches)]


VARIANTS = [variant for kind in components("hook") for variant in variants(kind)]


def waits(config: TrainConfig, dataset: Any) -> dict[str, int]:
    """The reads and copies of some steps, by where they are asked for."""
    run = Run.start(config, dataset, Runtime())
    chosen = build_objective(run)
    seen = Waits()
    for _ in range(STEPS):
        step, run.position = objective.next_step(run, chosen, run.config.budget.fraction(run.spent))  # of the host
        with seen:
            run.account(train.take(run, step))
    return dict(seen.at)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != TAKES_OVER], ids=repr)
def test_a_step_with_the_hook_reads_nothing_and_copies_nothing_from_the_host(variant, with_component, dataset) -> None:
    assert waits(with_component(variant), dataset) == {}


def test_a_rate_that_is_computed_stays_on_a_device_and_is_read_only_where_the_host_has_it(
    with_component, dataset, monkeypatch
) -> None:
    assert TAKES_OVER in VARIANTS
    (found,) = waits(with_component(TAKES_OVER), dataset).values()
    assert found == STEPS - 2, "from the step after after_step on: on a CPU nobody waits"
    monkeypatch.setattr(hook, "on_host", lambda number: False)
    assert waits(with_component(TAKES_OVER), dataset) == {}


def test_a_run_whose_rate_stays_on_the_device_is_that_whose_rate_is_read(
    with_component, run_to_end, monkeypatch
) -> None:
    config = with_component(TAKES_OVER)
    read = run_to_end(config)
    monkeypatch.setattr(hook, "on_host", lambda number: False)
    kept = run_to_end(config)
    assert kept.last.multiplier == pytest.approx(read.last.multiplier, rel=1e-5)
    torch.testing.assert_close(kept.numbers["network"], read.numbers["network"], rtol=1e-4, atol=1e-6)


def test_a_wait_would_be_seen() -> None:
    x = torch.arange(4.0)
    asked = {
        "float": lambda: float(x.sum()),
        "if": lambda: bool((x > 1).any()),
        "nonzero": lambda: x.nonzero(),
        "mask": lambda: x[x > 1],
        "put": lambda: x.index_put_((x > 5,), torch.zeros(())),
        "made": lambda: torch.tensor([1.0, 2.0]),
    }
    for name, ask in asked.items():
        with Waits() as seen:
            ask()
        assert seen.at, name


@dataclasses.dataclass
class Alive:
    """Steps that are alive, and the most that were at a time."""

    now: int = 0
    most: int = 0

    def made(self, *arguments: Any, **fields: Any) -> Step:
        step = Step(*arguments, **fields)
        self.now += 1
        self.most = max(self.most, self.now)
        weakref.finalize(step, self.gone)
        return step

    def gone(self) -> None:
        self.now -= 1


def test_at_most_two_steps_are_alive_at_a_time_without_a_collector_of_cycles(tiny, dataset) -> None:
    alive, config = Alive(), dataclasses.replace(tiny, budget=Budget(steps=30))
    gc.collect()
    gc.disable()
    try:
        with mock.patch.object(objective, "Step", alive.made):
            reports = list(train.train(Run.start(config, dataset, Runtime()), milestones=(10,)))
    finally:
        gc.enable()
    assert reports[-1].step == 30 and alive.most <= 2


def test_the_numbers_of_a_report_are_plain_and_come_in_one_transfer() -> None:
    step = Step(None, 0, 0.0, 1.0, torch.Generator(), torch.zeros(0), torch.zeros(0), lambda step: torch.zeros(()))
    logged = {"whole": 3, "norm": torch.tensor(0.1), "clips": torch.tensor(2**40), "rate": 0.25}
    for name, value in logged.items():
        step.log(name, value)
    with Waits() as seen:
        numbers = step.numbers()
    assert numbers == {"whole": 3.0, "norm": float(torch.tensor(0.1)), "clips": float(2**40), "rate": 0.25}
    assert all(type(value) is float for value in numbers.values()) and list(numbers) == list(logged)
    assert sum(count for at, count in seen.at.items() if at.startswith("read")) <= 1
