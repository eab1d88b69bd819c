from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from trainable.config import Budget
from trainable.hooks.qk_logit_clip import QKLogitClip
from trainable.models.latent_attention import LatentHeads
from trainable.models.nanochat import Nanochat
from trainable.models.query_key_value import SeparateHeads
from trainable.networks.logit_maximum import wrapped_attention
from trainable.runtime import Runtime

FREE = replace(Nanochat.example(), qkv=SeparateHeads(order="no_norm"))
LATENT = replace(Nanochat.example(), qkv=LatentHeads(latent_dim=16, rope_dim=4))


def network_and_step(model, make_step, hook):
    network = model.build(260, 16).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
    state, step = hook.start(network), make_step(network=network)
    hook.before_forward(step, state)
    return network, step, state


@pytest.mark.parametrize("model", [FREE, LATENT], ids=["separate", "latent"])
def test_the_largest_logit_of_each_head_is_that_of_the_pairs_it_attends_to(model, make_step):
    hook = QKLogitClip(tau=1.0)
    network, _, _ = network_and_step(model, make_step, hook)
    tokens, seen = torch.randint(260, (3, 16)), []
    for block in network.blocks:
        block.attention.qkv.register_forward_hook(lambda module, inputs, out: seen.append(out[:2]))
    for part in tokens.split(1):  # a maximum over micro-batches
        network(part)
    for layer, (_, kernel) in enumerate(wrapped_attention(network)):
        window = 4 if layer == 0 else 16
        for h in range(4):
            largest = -math.inf
            for q, k in seen[layer::2]:
                for t in range(16):
                    for s in range(max(0, t - window), t + 1):
                        largest = max(largest, (q[0, t, h] @ k[0, s, h]).item() / math.sqrt(8))
            assert kernel.largest[h].item() == pytest.approx(max(0.0, largest), rel=1e-5)


@pytest.mark.parametrize("model", [FREE, LATENT], ids=["separate", "latent"])
def test_in_the_first_layer_the_same_batch_then_meets_the_limit_exactly(model, make_step):
    """Later layers see other inputs after the clip; in the first one a head over the limit comes to lie on it."""
    hook = QKLogitClip(tau=2.0)
    network, step, state = network_and_step(model, make_step, hook)
    tokens = torch.randint(260, (2, 16))
    network(tokens)
    before = wrapped_attention(network)[0][1].largest.clone()
    every = torch.cat([kernel.largest for _, kernel in wrapped_attention(network)])
    hook.after_update(step, state)
    assert state["clips"] == (every > 2.0).sum() and (before > 2.0).any()
    assert step.numbers()["qk_max_logit"] == pytest.approx(every.max().item())
    hook.before_forward(step, state)
    network(tokens)
    torch.testing.assert_close(wrapped_attention(network)[0][1].largest, before.clamp(max=2.0), rtol=1e-5, atol=1e-5)


def test_heads_under_the_limit_keep_their_weights(make_step):
    hook = QKLogitClip(tau=1e6)
    network, step, state = network_and_step(FREE, make_step, hook)
    before = [p.detach().clone() for p in network.parameters()]
    network(torch.randint(260, (2, 16)))
    hook.after_update(step, state)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert state["clips"] == 0


def test_the_wrapped_kernel_computes_what_it_wraps(tiny):
    network = tiny.model.build(260, 16)
    tokens = torch.randint(260, (2, 16))
    before = network(tokens)
    QKLogitClip(tau=1.0).start(network)
    assert torch.equal(network(tokens), before)


def test_nothing_is_measured_in_evaluation(tiny):
    network = tiny.model.build(260, 16)
    QKLogitClip(tau=1.0).start(network)
    network.eval()(torch.randint(260, (2, 16)))
    assert not any(kernel.largest.any() for _, kernel in wrapped_attention(network))


def test_a_run_with_it_is_one_graph_and_resumes(tiny, run_to_end, monkeypatch, assert_resumes_identically):
    config = replace(tiny, model=FREE, hooks=(QKLogitClip(tau=0.05),), budget=Budget(steps=3))
    assert_resumes_identically(config)
    eager = run_to_end(config).last
    counter, compile = CompileCounterWithBackend("aot_eager"), torch.compile
    monkeypatch.setattr(torch, "compile", lambda f, **arguments: compile(f, backend=counter, **arguments))
    torch._dynamo.reset()
    compiled = run_to_end(config, runtime=Runtime(compile=True)).last
    torch._dynamo.reset()
    assert counter.frame_count == 2  # the step, and the evaluation
    assert compiled.logged["qk_logit_clips"] == pytest.approx(eager.logged["qk_logit_clips"], abs=2)
    assert compiled.logged["qk_logit_clips"] > 0
