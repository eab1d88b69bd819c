"""No knob of any space is inert: two of its values are two runs. The campaigns turned many that were.

Parameter golf's knobs are held to it in ``tests/search_spaces/test_parameter_golf.py``, where more is said about them.
"""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

import search_spaces
from search_spaces.domains import Choice
from search_spaces.space import Knob, Space
from trainable.config import Budget, TrainConfig

# Four layers, so that patterns over layers differ; widths that all heads divide into pairs.
SMALL = {"num_layers": 4, "model_dim": 32, "aspect_ratio": 8, "head_dim": 8, "short_window": 4}

# Knobs that need more than a few steps, or other circumstances, with the reason.
EVALUATION_ONLY = {"hooks.WeightAverage.decay": "it averages weights for the evaluation; training does not see it"}
NEEDS_MORE_STEPS = {
    "hooks.QKWeightClip.tau": "it waits until query and key weights are seven times what they start with"
}


def pairs(knob: Knob) -> list[tuple]:
    """Its bounds, or the first label beside each other one."""
    if isinstance(knob.domain, Choice):
        return [(knob.domain.labels[0], other) for other in knob.domain.labels[1:]]
    return [(knob.domain.low, knob.domain.high)]


SPACES = [search_spaces.load(name) for name in search_spaces.names() if name != "parameter_golf"]
CASES = [
    pytest.param(space, knob, pair, id=f"{space.name}-{knob.path}-{pair[0]}-{pair[1]}")
    for space in SPACES
    for knob in space.knobs
    if knob.path not in NEEDS_MORE_STEPS
    for pair in pairs(knob)
]


def shrunk(space: Space, tiny: TrainConfig) -> TrainConfig:
    base = space.scale("proxy").base
    known = {f.name for f in fields(base.model)}
    return replace(
        base,
        model=replace(base.model, **{name: SMALL[name] for name in SMALL.keys() & known}),
        data=replace(tiny.data, order=base.data.order),
        evaluation=tiny.evaluation,
        budget=Budget(steps=4),
    )


@pytest.mark.parametrize(("space", "knob", "pair"), CASES)
def test_two_values_of_a_knob_are_two_runs(space, knob, pair, tiny, run_to_end, first_difference):
    live: dict = {}
    for path, labels in (knob.when or {}).items():
        live |= {path: labels[0]}
    one, other = (run_to_end(space.config(shrunk(space, tiny), {**live, knob.path: value})) for value in pair)
    assert one.last.status == other.last.status == "completed"
    if knob.path in EVALUATION_ONLY:
        assert one.last.val_loss != other.last.val_loss
    else:
        assert first_difference(one.numbers["network"], other.numbers["network"])
