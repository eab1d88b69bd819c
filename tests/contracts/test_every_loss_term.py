"""What every loss term promises; a new file in trainable/losses is held to it without being listed here."""

from __future__ import annotations

import dataclasses
import functools

import pytest
import torch
import torch.nn.functional as F
from torch._dynamo.testing import CompileCounter

from trainable.component import components
from trainable.component_paths import with_values
from trainable.losses.loss_term import Outputs
from trainable.run import Run
from trainable.runtime import Runtime

TERMS = pytest.mark.parametrize("term", components("loss term"))


@pytest.fixture
def tiny(tiny, term):
    """With what the term needs."""
    return with_values(tiny, term.needs)


@TERMS
def test_neutral_is_bit_identical_to_absent(term, tiny, with_component, run_to_end, first_difference):
    absent, present = run_to_end(tiny).numbers, run_to_end(with_component(term.neutral())).numbers
    assert first_difference(absent, present) is None


@TERMS
def test_the_example_changes_the_run_within_a_few_steps(term, tiny, with_component, run_to_end, first_difference):
    absent, present = run_to_end(tiny).numbers, run_to_end(with_component(term.example())).numbers
    assert first_difference(absent["network"], present["network"])


@TERMS
def test_the_same_seed_gives_the_same_run_and_another_seed_another(term, with_component, run_to_end, first_difference):
    config = with_component(term.example())
    first, again = run_to_end(config).numbers, run_to_end(config).numbers
    other = run_to_end(dataclasses.replace(config, seed=config.seed + 1)).numbers
    assert first_difference(first, again) is None
    assert first_difference(first["network"], other["network"])


@TERMS
def test_a_run_resumed_from_any_step_is_bit_identical_to_the_straight_run(
    term, with_component, assert_resumes_identically
):
    assert_resumes_identically(with_component(term.example()))


@TERMS
def test_it_is_a_finite_scalar_whose_gradient_reaches_logits_or_weights(term, with_component, dataset):
    network = Run.start(with_component(term.example()), dataset, Runtime()).network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)  # away from the zeros of the start
    tokens = torch.randint(dataset.vocab_size, (2, 16))
    targets = torch.randint(dataset.vocab_size, (2, 16))
    hidden = network.hidden(tokens)
    logits = (network.logits(hidden) + torch.randn(2, 16, dataset.vocab_size)).detach().requires_grad_()
    cross_entropy = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    value = term.example()(Outputs(network, hidden, logits, targets, cross_entropy))
    assert value.shape == () and value.isfinite()
    gradients = torch.autograd.grad(value, [logits, *network.parameters()], allow_unused=True)
    assert all(g is None or g.isfinite().all() for g in gradients)
    assert any(g is not None and g.any() for g in gradients)


@TERMS
def test_it_leaves_the_reported_losses_alone(term, tiny, with_component, run_to_end):
    one_step = {"budget": dataclasses.replace(tiny.budget, steps=1)}
    absent = run_to_end(dataclasses.replace(tiny, **one_step))
    present = run_to_end(dataclasses.replace(with_component(term.example()), **one_step))
    assert present.last.train_loss == absent.last.train_loss  # before the first update: cross-entropy alone


@TERMS
def test_one_graph_serves_a_whole_run_and_computes_the_same(term, with_component, run_to_end, monkeypatch):
    counter = CompileCounter()
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=counter))
    torch._dynamo.reset()
    config = with_component(term.example())
    eager, compiled = run_to_end(config).last, run_to_end(config, runtime=Runtime(compile=True)).last
    torch._dynamo.reset()
    assert counter.frame_count == 2  # the step, and the evaluation
    assert (compiled.train_loss, compiled.val_loss) == pytest.approx((eager.train_loss, eager.val_loss), rel=2e-4)
