"""A number of a config needs no graph of its own: two of its values run one, two structures run two.

Each test asks which graph ran, so none depends on what another has compiled before it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import search_spaces
from benchmarks.graphs import structure
from search_spaces.domains import Choice, Integer
from search_spaces.space import Knob, Space
from trainable import compiled_objective
from trainable.compiled_objective import build_objective
from trainable.component import components
from trainable.component_paths import with_values
from trainable.config import Budget, TrainConfig
from trainable.models.blueberry import Blueberry
from trainable.models.gpt2 import GPT2
from trainable.models.mixture_of_experts import Experts
from trainable.models.nanochat import Nanochat
from trainable.models.ngpt import NGPT
from trainable.models.norms import RMSNorm
from trainable.run import Run
from trainable.runtime import Runtime

pytestmark = pytest.mark.filterwarnings("ignore")  # the tracer's own

SMALL = {"num_layers": 2, "model_dim": 32, "aspect_ratio": 16, "head_dim": 8, "short_window": 4, "encoder_layers": 1}


class Graphs:
    """Compiles each step for one of torch's simple backends, and knows which one trained last."""

    def __init__(self) -> None:
        self.made = 0
        self.ran = -1
        self.all_that_ran: list[int] = []

    def compile(self, graph: Any, inputs: Any) -> Callable[..., Any]:
        index, self.made = self.made, self.made + 1

        def run(*arguments: Any) -> Any:
            self.ran = index
            self.all_that_ran.append(index)
            return graph(*arguments)

        return run

    def of(self, config: TrainConfig, dataset: Any) -> int:
        self.ran = -1
        build_objective(Run.start(config, dataset, Runtime(compile=True)))
        return self.ran

    def by_blocks(self, config: TrainConfig, dataset: Any) -> list[int]:
        """Graphs that trained, in their order, where each kind of block has its own."""
        self.all_that_ran = []
        build_objective(Run.start(config, dataset, Runtime(compile=True, compile_blocks=True)))
        return self.all_that_ran


@pytest.fixture(scope="module")
def graphs() -> Iterator[Graphs]:
    """One compiler for all tests of this file, as a worker has one for all of its trials."""
    found, compile = Graphs(), torch.compile
    torch._dynamo.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "compile", lambda function, **options: compile(function, backend=found.compile, **options))
        patch.setattr(compiled_objective, "warm_up", lambda run: None)  # the evaluation has its own
        yield found
    torch._dynamo.reset()


def small(config: TrainConfig, tiny: TrainConfig) -> TrainConfig:
    known = {f.name for f in dataclasses.fields(config.model)}
    model = dataclasses.replace(config.model, **{name: SMALL[name] for name in SMALL.keys() & known})
    data = dataclasses.replace(tiny.data, order=config.data.order)
    return dataclasses.replace(config, model=model, data=data, evaluation=tiny.evaluation, budget=Budget(steps=4))


def pair(knob: Knob) -> tuple[Any, Any]:
    """Two values of a knob, and not "off" (0 or null) where it has two others."""
    domain = knob.domain
    if isinstance(domain, Integer):
        return domain.low, min(domain.high, domain.low + 1)
    if not isinstance(domain, Choice):
        return domain.low + 0.3 * (domain.high - domain.low), domain.low + 0.6 * (domain.high - domain.low)
    labels = [label for label in domain.labels if label not in (0.0, None) or isinstance(label, bool)]
    return (labels[0], labels[1]) if len(labels) > 1 else (domain.labels[0], domain.labels[1])


KNOBS = [
    pytest.param(space, knob, id=f"{space.name}-{knob.path}")
    for space in map(search_spaces.load, search_spaces.names())
    for knob in space.knobs
]


@pytest.mark.parametrize(("space", "knob"), KNOBS)
def test_two_numbers_of_a_knob_share_a_graph_and_two_structures_do_not(
    space: Space, knob: Knob, tiny: TrainConfig, dataset, graphs: Graphs
) -> None:
    base, values = small(space.scale("proxy").base, tiny), pair(knob)
    live = {path: labels[0] for path, labels in (knob.when or {}).items()}
    one, other = (graphs.of(space.config(base, {**live, knob.path: value}), dataset) for value in values)
    assert (one != other) == (structure({knob.path: values[0]}) != structure({knob.path: values[1]}))


@pytest.mark.parametrize("name", search_spaces.names())
def test_other_numbers_of_all_knobs_need_no_graph_by_blocks_either(
    name: str, tiny: TrainConfig, dataset, graphs: Graphs
) -> None:
    space = search_spaces.load(name)
    base, pairs = small(space.scale("proxy").base, tiny), {k.path: pair(k) for k in space.knobs if not k.when}
    numbers = {path: two for path, two in pairs.items() if structure({path: two[0]}) == structure({path: two[1]})}
    assert any(path.startswith("model") for path in numbers) or name == "mainrun"
    one, other = (space.config(base, {path: two[i] for path, two in numbers.items()}) for i in (0, 1))
    first, second = graphs.by_blocks(one, dataset), graphs.by_blocks(other, dataset)
    assert first == second and len(set(first)) > 1


MODELS = {
    "gpt2": GPT2(dropout=0.0, num_layers=1, model_dim=16, num_heads=2),
    "gpt2_rms": GPT2(dropout=0.0, num_layers=1, model_dim=16, num_heads=2, norm=RMSNorm()),
    "nanochat": Nanochat(num_layers=2, aspect_ratio=16, head_dim=8, short_window=4),
    "ngpt": NGPT(num_layers=1, model_dim=16, num_heads=2),
    "experts": Blueberry(
        dropout=0.0, num_layers=1, model_dim=16, num_heads=2, num_kv_heads=1, experts=Experts(num_experts=2)
    ),
}

FIELDS = [  # of components that stand in the graph and of no space
    ("gpt2", "model.norm.eps", 1e-6, 1e-4),
    ("gpt2_rms", "model.norm.eps", 1e-6, 1e-4),
    ("nanochat", "model.value_embed_gain", 2.0, 3.0),
    ("nanochat", "model.smear_lambda_init", 0.1, 0.2),
    ("ngpt", "model.logit_scale_init", 2.0, 3.0),
    ("ngpt", "model.alpha_init", 0.1, 0.2),
    ("experts", "model.experts.router_noise", 0.1, 0.2),
    ("gpt", "model.mlp.LeakyRelu2.slope", 0.1, 0.2),
]


@pytest.mark.parametrize(("model", "path", "one", "other"), FIELDS, ids=[f"{m}-{p}" for m, p, *_ in FIELDS])
def test_two_values_of_a_number_of_a_model_share_a_graph(
    model: str, path: str, one: float, other: float, tiny: TrainConfig, dataset, graphs: Graphs
) -> None:
    config = dataclasses.replace(tiny, model=MODELS.get(model, tiny.model))
    if "LeakyRelu2" in path:
        config, path = with_values(config, {"model.mlp": "LeakyRelu2"}), "model.mlp.slope"
    first, second = (graphs.of(with_values(config, {path: value}), dataset) for value in (one, other))
    assert first == second


TERMS = [
    pytest.param(term, f.name, id=f"{term.__name__}.{f.name}")
    for term in components("loss term")
    for f in dataclasses.fields(term)
    if isinstance(getattr(term.example(), f.name), float)
]


@pytest.mark.parametrize(("term", "field"), TERMS)
def test_two_values_of_a_number_of_a_loss_term_share_a_graph(term, field, tiny, dataset, graphs: Graphs) -> None:
    config = dataclasses.replace(with_values(tiny, dict(term.needs)), losses=(term.example(),))
    value = getattr(term.example(), field) or 0.5
    changed = dataclasses.replace(term.example(), **{field: value * 0.9})
    other = dataclasses.replace(config, losses=(changed,))
    assert changed != term.example()
    assert graphs.of(config, dataset) == graphs.of(other, dataset)


def test_a_second_run_of_a_config_needs_no_graph(tiny, dataset, graphs: Graphs) -> None:
    assert graphs.of(tiny, dataset) == graphs.of(dataclasses.replace(tiny, seed=2), dataset)
