"""Norms, quantiles and means that hooks take: over all parameters together, or over each tensor on its own.

A published script has the one or the other, and at 26 layers the difference is a factor. Every hook stands in a table;
what it says is measured: one matrix is made three times as large, with its gradient, and it is seen who else notices.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainable.component import component, components
from trainable.hooks.hook import Step

TOGETHER, EACH, NOTHING = "all parameters together", "each tensor on its own", "no norm, quantile or mean"
OVER = {
    # parameter golf's script, its pull request 1434
    "GradientClip": TOGETHER,
    "GradientCentralisation": EACH,
    "UphillDrift": EACH,
    "ControlledBurn": EACH,
    "SynapticScaling": EACH,
    "WeightPerturbation": EACH,
    "MutationDecay": EACH,
    "WeightDecayRamp": NOTHING,
    "PredatorPreyDecay": NOTHING,
    "Canopy": NOTHING,
    "ThermalVent": NOTHING,
    "LeakyMirrorTraining": NOTHING,
    # its log, papers and records
    "MirrorTraining": NOTHING,
    "CanopyRates": NOTHING,
    "SharpnessAware": TOGETHER,  # arXiv 2010.01412, equation 2: the norm of the whole gradient
    "QuantisationAware": EACH,
    "WeightAverage": NOTHING,
    "StochasticWeightAverage": NOTHING,
    # the other campaigns
    "QKWeightClip": EACH,  # nanochat-gio at 119f567: of every whole matrix
    "WeightProjection": EACH,
    "GeodesicStep": EACH,
    "TokenMasking": NOTHING,
}
ELSEWHERE = {
    "Mycorrhizal": "it passes gradients between blocks on purpose: test_mycorrhizal.py",
    "QKLogitClip": "a maximum of each head of each layer over the batch: test_qk_logit_clip.py",
}


def test_every_hook_stands_in_the_table():
    ours = {cls.__name__ for cls in components("hook") if cls.__module__.startswith("trainable.")}
    assert ours == {*OVER, *ELSEWHERE}


def outcome(name: str, make_step, factor: float) -> list[list[Tensor]]:
    """Each parameter's values after each moment of a few steps, its first matrix and its gradient times ``factor``."""
    seen: list[list[Tensor]] = []

    def look(step: Step) -> None:
        own = [[p.detach().clone(), torch.as_tensor(p.grad).clone()] for p in step.parameters()]
        seen.append([torch.stack(pair) for pair in own])

    def gradients_again(step: Step) -> Tensor:
        look(step)
        return torch.zeros(())

    hook = component(name, "hook").example()
    step = make_step(index=2, gradients=gradients_again)
    with torch.no_grad():
        first = step.network.blocks[0].attention.q.weight
        first.mul_(factor)
        first.grad.mul_(factor)
    state = hook.start(step.network)
    for index in (2, 4, 6):
        step.index = index
        hook.before_forward(step, state)
        look(step)
        hook.after_backward(step, state)
        look(step)
        with torch.no_grad():
            for p in step.parameters():
                p.sub_(0.01 * p.grad)
        hook.after_update(step, state)
        look(step)
    return [list(of_parameter) for of_parameter in zip(*seen, strict=True)]


@pytest.mark.parametrize("name", sorted(OVER))
def test_a_matrix_three_times_as_large_changes_others_only_where_they_count_together(name, make_step):
    step = make_step()
    large = next(i for i, p in enumerate(step.parameters()) if p is step.network.blocks[0].attention.q.weight)
    one, other = (outcome(name, make_step, factor) for factor in (1.0, 3.0))
    others = [i for i in range(len(one)) if i != large]
    same = all(torch.equal(a, b) for i in others for a, b in zip(one[i], other[i], strict=True))
    assert same is (OVER[name] != TOGETHER)
    assert not all(torch.equal(a, b) for a, b in zip(one[large], other[large], strict=True))
