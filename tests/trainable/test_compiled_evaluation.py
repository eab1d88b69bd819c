"""A compiled run is evaluated by a compiled network, made before the clock runs, and scores as the eager one does."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from trainable import compiled_evaluation
from trainable.compiled_objective import build_objective
from trainable.evaluation.ttt import TTT
from trainable.hooks.weight_average import WeightAverage
from trainable.report import validation
from trainable.run import Run
from trainable.runtime import Runtime

pytestmark = pytest.mark.filterwarnings("ignore")  # the tracer's own


def test_all_evaluations_of_a_compiled_run_use_one_graph_that_was_made_before_them(tiny, dataset, counting_compiler):
    config = dataclasses.replace(tiny, hooks=(WeightAverage.example(),))
    run = Run.start(config, dataset, Runtime(compile=True))
    build_objective(run)
    assert counting_compiler.frame_count == 2  # the step, and the evaluation
    assert run.network.training and run.eval_seconds == 0 and run.compile_seconds > 0
    found = [validation(run), validation(run, final=True)]
    assert counting_compiler.frame_count == 2
    eager = Run.start(config, dataset, Runtime())
    assert [one.loss for one in found] == pytest.approx([validation(eager).loss] * 2, rel=1e-6)


def test_the_next_run_of_a_worker_finds_the_graph_again(tiny, dataset, counting_compiler):
    for seed in (1, 2):
        run = Run.start(dataclasses.replace(tiny, seed=seed), dataset, Runtime(compile=True))
        build_objective(run)
        validation(run)
    assert counting_compiler.frame_count == 2


def test_an_eager_run_is_evaluated_by_the_network_itself(tiny, dataset, monkeypatch):
    monkeypatch.setattr(torch, "compile", None)
    run = Run.start(tiny, dataset, Runtime())
    with compiled_evaluation.scoring(run) as forward:
        assert forward is run.network


def test_test_time_training_needs_the_network_itself(tiny, dataset, counting_compiler):
    evaluation = dataclasses.replace(tiny.evaluation, ttt=TTT(chunk_tokens=16, batch_tokens=16, epochs=1))
    run = Run.start(dataclasses.replace(tiny, evaluation=evaluation), dataset, Runtime(compile=True))
    assert validation(run, final=True).loss > 0
    assert counting_compiler.frame_count == 0


def test_more_structures_are_evaluated_than_torch_keeps_graphs_by_default(tiny, dataset, counting_compiler):
    with torch._dynamo.config.patch(recompile_limit=2):
        for layers in (1, 2, 3, 4):
            model = dataclasses.replace(tiny.model, num_layers=layers, encoder_layers=0)
            validation(Run.start(dataclasses.replace(tiny, model=model), dataset, Runtime(compile=True)))
    assert counting_compiler.frame_count == 4
