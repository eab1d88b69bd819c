from __future__ import annotations

import pytest
import torch

from trainable.component_paths import with_value
from trainable.hooks.qk_weight_clip import QKWeightClip
from trainable.models.blueberry import Blueberry
from trainable.models.nanochat import Nanochat


def test_only_query_and_key_matrices_over_the_limit_shrink_to_it(make_step):
    step = make_step()
    attention = [block.attention for block in step.network.blocks]
    with torch.no_grad():
        attention[0].q.weight.mul_(3)
    before = {name: p.detach().double().clone() for name, p in step.network.named_parameters()}
    tau = 4.0
    hook = QKWeightClip(tau=tau)
    state = hook.start(step.network)
    hook.after_update(step, state)
    clipped = 0
    for name, parameter in step.network.named_parameters():
        expected = before[name]
        if name.endswith(("attention.q.weight", "attention.k.weight")):
            estimate = (expected**2).sum().sqrt() / min(expected.shape) ** 0.5
            clipped += int(estimate > tau**0.5)
            expected = expected * min(1.0, (tau**0.5 / estimate).item())
        torch.testing.assert_close(parameter.detach().double(), expected, atol=1e-6, rtol=1e-6)
    assert clipped > 0
    assert step.numbers() == {"qk_weight_clips": clipped}


def test_the_estimate_of_a_fresh_nanochat_is_about_one():
    network = Nanochat(num_layers=2, aspect_ratio=64, head_dim=32).build(300, 16)
    for layer in (network.blocks[0].attention.qkv.q, network.blocks[1].attention.qkv.k):
        assert (layer.weight.norm() / 128**0.5).item() == pytest.approx(1.0, rel=0.02)


def test_the_forward_pass_of_a_model_that_normalises_them_does_not_change(make_step, tiny):
    """What the campaign took for an effect of tau could not have been one."""
    network = Nanochat(num_layers=2, aspect_ratio=16, head_dim=8).build(260, 16).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    tokens, step = torch.randint(260, (1, 16)), make_step(network=network)
    before, hook = network(tokens), QKWeightClip(tau=0.25)
    state = hook.start(network)
    hook.after_update(step, state)
    assert state["clips"] == 4
    torch.testing.assert_close(network(tokens), before)


def test_the_count_grows_over_a_run_and_stands_in_the_report(tiny, with_component, run_to_end):
    reports = run_to_end(with_component(QKWeightClip(tau=1e-6)), [1, 3]).reports
    assert [r.logged["qk_weight_clips"] for r in reports] == [4.0, 12.0, 24.0]
    assert run_to_end(with_component(QKWeightClip(tau=1e6))).last.logged["qk_weight_clips"] == 0


def test_a_model_without_such_matrices_is_refused():
    network = with_value(Blueberry(num_layers=1, model_dim=16), "num_heads", 8).build(50, 8)
    for block in network.blocks:
        block.attention.q = None
    with pytest.raises(ValueError, match="found no query and key matrices"):
        QKWeightClip(tau=1.0).start(network)
