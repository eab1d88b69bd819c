"""The benchmark of graphs: one for each structure that random configs have, whatever their numbers are."""

from __future__ import annotations

import random

import pytest
import torch

import search_spaces
from benchmarks import graphs
from benchmarks.gpu.reused_process import drawn
from search_spaces.domains import Choice


def test_a_structure_is_what_is_chosen_beside_numbers() -> None:
    def structure(**values):
        return graphs.structure({name.replace("__", "."): value for name, value in values.items()})

    assert structure(model__logit_softcap=3.0) == structure(model__logit_softcap=4.0)
    assert structure(losses__ZLoss__weight=0.0) != structure(losses__ZLoss__weight=1e-4)
    assert structure(model__dropout=0.1) != structure(model__dropout=0.05)
    assert structure(model__num_kv_heads=1) != structure(model__num_kv_heads=2)
    assert structure(model__tie_embeddings=True) != structure(model__tie_embeddings=False)
    assert structure(optimizer="SGD") == structure(optimizer="AdamW")


@pytest.mark.filterwarnings("ignore")  # the tracer's own
def test_a_campaign_makes_as_many_graphs_as_it_has_structures_and_takes_its_compiler_back(monkeypatch) -> None:
    space, compile = search_spaces.load("nanochat"), torch.compile
    monkeypatch.setitem(graphs.SIZES, "num_layers", 2)
    monkeypatch.setitem(graphs.SIZES, "aspect_ratio", 16)
    first = drawn(space, random.Random(0))
    choices = {knob.path: first[knob.path] for knob in space.knobs if isinstance(knob.domain, Choice)}

    def numbers_alone(space, draw):
        return drawn(space, draw) | choices

    monkeypatch.setattr(graphs, "drawn", numbers_alone)
    found = graphs.campaign(space, trials=3, seed=0, backend="eager")
    assert (found.trials, found.structures, found.graphs) == (3, 1, 1)
    assert found.compile_seconds > 0
    assert torch.compile is compile
