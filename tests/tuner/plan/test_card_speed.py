"""A plan for a card is near what was measured on it, and never faster than a host launches its operations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import search_spaces
from trainable.component_paths import with_values
from trainable.config import TrainConfig
from tuner.plan import card_speed, launches
from tuner.plan.card_speed import elsewhere
from tuner.plan.known_devices import CARDS, card
from tuner.plan.launches import COMPILED, EAGER, Launches, Launching

DOCS = Path(__file__).parents[3] / "docs" / "gpu"
OURS = {"ours, eager (the default)": False, "ours, --compile": True}


def measured(section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What every kept measurement on a GPU has found in a section: the device, and the figures."""
    for file in sorted(DOCS.glob("*.json")):
        kept = json.loads(file.read_text())
        for call in kept["calls"]:
            if section in call["found"] and not call["quick"]:
                yield kept["device"].partition(" (")[0], call["found"][section]


def golf(scale: str) -> TrainConfig:
    return search_spaces.load("parameter_golf").scale(scale).base


def step_seconds(config: TrainConfig, name: str, compiles: bool = False) -> float:
    speed = elsewhere(config, name, None, compiles=compiles).tokens_per_second
    assert speed is not None
    return config.data.batch_tokens / speed


@pytest.mark.parametrize("scale", ["proxy", "full"])
def test_every_step_that_was_measured_takes_about_as_long_in_the_plan(scale) -> None:
    compared = 0
    for device, found in measured(f"speed_{scale}"):
        for name, compiles in OURS.items():
            planned = 1000 * step_seconds(golf(scale), device, compiles)
            assert 0.98 < planned / found[name]["ms_a_step"] < 1.2, (device, name, planned)
            compared += 1
    assert compared >= 2, "the measurements that the estimate comes from are kept"


def test_the_operations_that_are_counted_are_about_the_kernels_that_were_launched() -> None:
    for scale in ("proxy", "full"):
        for _, found in measured(f"speed_{scale}"):
            kernels = found["ours, eager (the default)"]["profile"]["kernels"]
            host = Launching(launches.launches(golf(scale)), EAGER)
            assert 0.85 < host.in_step(golf(scale)) / kernels < 1.05


def test_evaluations_of_a_large_model_take_about_as_long_as_was_measured() -> None:
    for device, found in measured("evaluation"):
        for name, compiles in (("eager_tokens_a_second", False), ("compiled_tokens_a_second", True)):
            tokens = found["full"]["tokens"]
            config = with_values(golf("full"), {"evaluation.tokens": tokens, "evaluation.tokens_on_the_way": None})
            hardware = elsewhere(config, device, None, compiles=compiles)
            planned = hardware.beside(config, hardware.tokens_per_second, 0.0).on_the_way
            assert 0.75 < planned / (tokens / found["full"][name]) < 1.25


def test_no_host_launches_small_models_in_the_time_of_their_arithmetic() -> None:
    """A step of nGPT's whole model was planned at 1.7 ms, of golf's proxy at 10 microseconds."""
    for name, scale in (("ngpt", "full"), ("parameter_golf", "proxy"), ("parameter_golf", "full")):
        for known in ("h200", "b200"):
            config = search_spaces.load(name).scale(scale).base
            found = elsewhere(config, known, None)
            assert found.launching is not None and found.arithmetic is not None
            floor = found.launching.step_seconds(config)
            assert 0.02 < floor <= step_seconds(config, known) * (1 + 1e-9)
            if floor > config.data.batch_tokens / found.arithmetic:
                assert "ms a step, estimated: the time to launch its" in found.speed
                assert (
                    f"operations, as one host did ({launches.MEASURED_IN}), is a floor; its arithmetic" in found.speed
                )
            else:
                assert "ms a step, assumed: 12% of the" in found.speed and " to launch its" in found.speed


def test_a_step_has_the_operations_of_each_micro_batch_and_of_one_update() -> None:
    config = with_values(golf("full"), {"data.grad_accum_steps": 4})
    host = Launching(Launches(forward=10, passes=100, update=7), EAGER)
    assert host.in_step(config) == 407
    each = 400 * EAGER.operation + 7 * EAGER.update_operation + EAGER.step
    assert host.step_seconds(config) == pytest.approx(each)
    assert host.pass_seconds == pytest.approx(10 * EAGER.operation)


def test_what_is_recomputed_is_launched_again_and_a_graph_is_launched_at_once() -> None:
    config = golf("proxy")
    plain = card_speed.launched_by_host(config, False, False, False)
    again = card_speed.launched_by_host(config, True, True, False)
    graph = card_speed.launched_by_host(config, False, False, True)
    assert plain is not None and again is not None and graph is not None
    assert again.launches.passes == plain.launches.passes + plain.launches.forward and again.host is COMPILED
    assert graph.in_step(config) == plain.launches.update


def test_a_model_that_cannot_be_followed_is_planned_by_its_arithmetic_and_that_is_said(monkeypatch) -> None:
    def needs_content(config: TrainConfig) -> Launches:
        raise RuntimeError("the content of a tensor is needed")

    monkeypatch.setattr(launches, "launches", needs_content)
    found = elsewhere(golf("proxy"), "h200", None)
    assert found.launching is None and found.tokens_per_second == found.arithmetic
    assert "its operations could not be counted, whose launch may take longer" in found.speed


@pytest.mark.slow  # 10 s: counts the operations of each model
def test_every_space_at_every_scale_has_a_plan_on_every_card() -> None:
    for name in search_spaces.names():
        for scale in search_spaces.load(name).scales.values():
            launching = card_speed.launched_by_host(scale.base, False, False, False)
            assert launching is not None, "its operations are counted"
            floor = launching.step_seconds(scale.base)
            for known in CARDS:
                found = card_speed.estimated(scale.base, card(known))
                assert found.tokens_per_second is not None
                assert scale.base.data.batch_tokens / found.tokens_per_second >= floor * (1 - 1e-9)
