from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from trainable.hooks.weight_projection import WeightProjection
from trainable.models.ngpt import NGPT

SMALL = {"num_layers": 1, "model_dim": 8, "num_heads": 2}


def projected(**settings) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    network = NGPT(**SMALL, positions="learned").build(11, 4)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(torch.randn(p.shape))
    before = {name: p.detach().double() for name, p in network.named_parameters()}
    WeightProjection(**settings).start(network)
    return before, {name: p.detach().double() for name, p in network.named_parameters()}


@pytest.mark.parametrize("axis", ["embedding", "last"])
def test_matrices_and_tables_are_normalised_and_no_scale_is(axis):
    before, after = projected(axis=axis)
    for name, w in before.items():
        if not name.endswith("weight"):
            expected = w
        elif axis == "embedding" and name in ("blocks.0.attention.proj.weight", "blocks.0.mlp.proj.weight"):
            expected = w / (w.square().sum(0, keepdim=True).sqrt() + 1e-8)
            assert expected.shape[0] == 8  # as long as the stream is wide
        else:
            expected = w / (w.square().sum(1, keepdim=True).sqrt() + 1e-8)
        torch.testing.assert_close(after[name], expected, atol=1e-6, rtol=1e-6)
    assert len([name for name in before if name.endswith("weight")]) == 10


def test_the_campaign_does_not_project_before_the_first_step():
    before, after = projected(axis="last", at_start=False)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("steps", "every", "recorded"),
    [(500, 7, 72), (500, 10, 50), (500, 15, 34), (500, 20, 25), (1500, 7, 215), (9, 0, 9)],
)
def test_projections_are_counted_as_the_campaign_counted_them(steps, every, recorded, make_step, monkeypatch):
    hook, step = WeightProjection(every_steps=every), make_step()
    monkeypatch.setattr(WeightProjection, "project", lambda self, network: None)
    state = hook.start(step.network)
    for index in range(steps):
        step.index = index
        hook.after_update(step, state)
    assert step.logged == {"projections": recorded}


def test_it_acts_after_the_update_and_is_reported(tiny, run_to_end):
    model = NGPT(**SMALL)
    hook = WeightProjection(every_steps=3)
    ended = run_to_end(replace(tiny, model=model, hooks=(hook,)), [4])
    assert [r.logged for r in ended.reports] == [{"projections": 2}, {"projections": 2}]  # after steps 0 and 3
    lengths = ended.run.network.head.weight.norm(dim=-1)
    assert not torch.allclose(lengths, torch.ones_like(lengths))
    each = run_to_end(replace(tiny, model=model, hooks=(WeightProjection(),)))
    lengths = each.run.network.head.weight.norm(dim=-1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))


def test_its_range():
    with pytest.raises(ValueError, match=r"WeightProjection.axis is 'rows' but must be one of embedding, last"):
        WeightProjection(axis="rows")
    with pytest.raises(ValueError, match=r"WeightProjection.every_steps is -1"):
        WeightProjection(every_steps=-1)
