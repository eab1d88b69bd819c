"""Activation checkpointing changes no bit of a run on a CPU, whatever model, part, hook or loss term it trains.

What a block computes again comes from the same random draws, and what it leaves for others (a balance of experts, the
largest logit) is what it was. That it saves memory is held by tests/tuner/cluster/test_counted_memory.py.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch

from trainable.component import components
from trainable.component_paths import with_values
from trainable.config import Budget
from trainable.hooks.qk_logit_clip import QKLogitClip
from trainable.losses.load_balancing import LoadBalancing
from trainable.models.blueberry import Blueberry
from trainable.models.gpt import GPT
from trainable.models.gpt2 import GPT2
from trainable.models.mixture_of_experts import Experts
from trainable.networks.network import Network
from trainable.runtime import Runtime

KINDS = ("stem part", "layer part", "attention part", "mlp", "block", "hook", "loss term")
PARTS = [part for kind in KINDS for part in components(kind)]


@pytest.fixture
def assert_same(run_to_end, first_difference, monkeypatch):
    """Hold that a config trains alike with its activations checkpointed, and that they are in every block."""
    again: list[int] = []
    call_block = Network.call_block

    def counted(network, block, *inputs):
        again.append(network.checkpoints_activations)
        return call_block(network, block, *inputs)

    monkeypatch.setattr(Network, "call_block", counted)

    def check(config, precision: str = "fp32") -> None:
        config = dataclasses.replace(config, budget=Budget(steps=4))
        plain = run_to_end(config, milestones=[2], runtime=Runtime(precision=precision)).numbers
        again.clear()
        small = run_to_end(config, milestones=[2], runtime=Runtime(precision=precision, checkpoint_activations=True))
        assert first_difference(plain, small.numbers) is None
        assert all(again) and len(again) >= 4 * config.data.grad_accum_steps * len(small.run.network.blocks)

    return check


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("model", components("model"), ids=lambda model: model.__name__)
def test_a_run_of_every_model_is_the_same_bit_for_bit(model, precision, tiny, shrink, assert_same):
    data = dataclasses.replace(tiny.data, grad_accum_steps=2)
    assert_same(dataclasses.replace(tiny, model=shrink(model.example()), data=data), precision)


DROPPING = {
    "GPT2": GPT2(num_layers=2, model_dim=32, num_heads=4, dropout=0.3),
    "Blueberry": Blueberry(num_layers=2, model_dim=32, num_heads=4, num_kv_heads=2, dropout=0.3),
}


@pytest.mark.parametrize("name", DROPPING)
def test_what_dropout_leaves_out_is_drawn_once(name, tiny, assert_same, run_to_end, first_difference):
    config = dataclasses.replace(tiny, model=DROPPING[name])
    assert_same(config)
    small = Runtime(checkpoint_activations=True)
    runs = [run_to_end(dataclasses.replace(config, seed=seed), runtime=small).numbers for seed in (1, 1, 2)]
    assert first_difference(runs[0], runs[1]) is None
    assert first_difference(runs[0]["network"], runs[2]["network"])


def test_the_balance_of_experts_and_their_noise_are_those_of_the_forward_pass(tiny, assert_same):
    experts = Experts(num_experts=4, router_noise=1.0)
    model = Blueberry(num_layers=2, model_dim=32, mlp_mult=2.0, dropout=0.1, experts=experts)
    assert_same(dataclasses.replace(tiny, model=model, losses=(LoadBalancing(weight=0.5),)))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_run_with_every_part_hook_and_loss_term_is_the_same_bit_for_bit(part, tiny, with_component, assert_same):
    assert_same(with_values(with_component(part.example()), getattr(part, "needs", {})))


def test_all_layer_parts_at_once_with_shared_weights_are_the_same(tiny, assert_same):
    layers = tuple(part.example() for part in components("layer part"))
    model = GPT(num_layers=4, model_dim=32, num_heads=4, num_kv_heads=2, weight_share_period=2, layers=layers)
    assert_same(dataclasses.replace(tiny, model=model))


def test_a_cross_entropy_in_pieces_and_test_time_training_go_with_it(tiny, assert_same):
    from trainable.evaluation.ttt import TTT

    evaluation = dataclasses.replace(tiny.evaluation, tokens=128, ttt=TTT(chunk_tokens=64, batch_tokens=32))
    assert_same(dataclasses.replace(tiny, loss_chunks=3, evaluation=evaluation))


def test_a_checkpoint_goes_on_with_the_other_setting(tiny, dataset, run_to_end, first_difference):
    """A node with less memory may go on with a trial: what is kept for the backward pass is no part of a state."""
    from trainable.run import Run
    from trainable.train import train

    config = dataclasses.replace(tiny, model=DROPPING["GPT2"])
    straight = run_to_end(config, milestones=[3]).numbers
    for before, after in ((False, True), (True, False)):
        half = Run.start(config, dataset, Runtime(checkpoint_activations=before))
        next(train(half, milestones=[3]))
        other = Run.start(config, dataset, Runtime(checkpoint_activations=after))
        other.load_state_dict(half.state_dict())
        assert first_difference(straight, run_to_end(other).numbers) is None


LAYERS = tuple(part.example() for part in components("layer part"))
COMPILED = {
    **{model.__name__: {"model": model.example()} for model in components("model")},
    "experts": {"model": LoadBalancing.needs["model"], "losses": (LoadBalancing(weight=0.1),)},
    "all layer parts": {"model": GPT(layers=LAYERS)},
    "a hook that looks at logits": {"hooks": (QKLogitClip.example(),)},
    "a loss in pieces": {"loss_chunks": 3},
}


@pytest.mark.slow  # a graph is traced for each
@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.filterwarnings("ignore")  # the tracer's own
def test_a_compiled_step_is_still_one_graph_and_computes_the_same(
    name, tiny, shrink, run_to_end, monkeypatch, fresh_compiler
):
    graphs = []
    config = dataclasses.replace(tiny, budget=Budget(steps=3), **COMPILED[name])
    config = dataclasses.replace(config, model=shrink(config.model))
    aot = torch._dynamo.lookup_backend("aot_eager")

    def backend(graph, inputs):
        graphs.append(graph)
        return aot(graph, inputs)

    compile = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **options: compile(function, backend=backend, **options))
    plain, small = (
        run_to_end(config, runtime=Runtime(compile=True, checkpoint_activations=each)) for each in (False, True)
    )
    assert len(graphs) == 4  # the step, and the evaluation, of each
    assert small.last.train_loss == pytest.approx(plain.last.train_loss, rel=2e-4)
    assert small.last.val_loss == pytest.approx(plain.last.val_loss, rel=2e-4)


@pytest.mark.filterwarnings("ignore")  # the tracer's own
@pytest.mark.parametrize("name", DROPPING)
def test_blocks_that_are_compiled_each_are_computed_again_with_the_same_draws(
    name, tiny, run_to_end, monkeypatch, fresh_compiler
):
    monkeypatch.setattr(torch.nn.Module, "compile", _compile_by_aot_eager)
    compile = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **options: compile(function, backend="aot_eager", **options))
    config = dataclasses.replace(tiny, model=DROPPING[name], budget=Budget(steps=3))
    plain, small = (
        run_to_end(config, runtime=Runtime(compile=True, compile_blocks=True, checkpoint_activations=each)).last
        for each in (False, True)
    )
    assert (small.train_loss, small.val_loss) == pytest.approx((plain.train_loss, plain.val_loss), rel=1e-6)


def _compile_by_aot_eager(module, **options):
    module._compiled_call_impl = torch.compile(module._call_impl, **options)
