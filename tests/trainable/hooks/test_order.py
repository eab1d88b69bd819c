"""Order of hooks that are set by path: that of the published scripts, and one in which nothing of a hook is lost."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

import search_spaces
from tests.hooks_of_scripts import SCRIPTS
from trainable.component import component, components
from trainable.component_paths import with_value, with_values
from trainable.config import TrainConfig
from trainable.hooks.order import ORDER, place
from trainable.hooks.quantisation_aware import QuantisationAware
from trainable.hooks.weight_decay_ramp import WeightDecayRamp


def names_of(config: TrainConfig) -> list[str]:
    return [type(hook).__name__ for hook in config.hooks]


def in_order(names: list[str]) -> bool:
    return names == sorted(names, key=ORDER.index)


def test_every_hook_has_its_place_and_each_script_is_followed():
    assert sorted(ORDER) == sorted(c.__name__ for c in components("hook") if c.__module__.startswith("trainable."))
    assert all(in_order(list(script)) for script in SCRIPTS.values())


@pytest.mark.parametrize("name", search_spaces.names())
def test_whatever_is_set_by_path_stands_where_the_script_has_it(name):
    for scale in search_spaces.load(name).scales.values():
        assert in_order(names_of(scale.base))
        for hook in ORDER:
            added = with_value(scale.base, f"hooks.{hook}", component(hook, "hook").example())
            assert in_order(names_of(added)) and hook in names_of(added)


def test_the_order_in_which_they_are_named_does_not_matter(tiny):
    chosen = ["GradientClip", "UphillDrift", "WeightAverage", "GradientCentralisation"]
    for named in itertools.permutations(chosen):
        examples = {f"hooks.{name}": component(name, "hook").example() for name in named}
        at_once, one_by_one = with_values(tiny, examples), tiny
        for path, value in examples.items():
            one_by_one = with_value(one_by_one, path, value)
        assert names_of(at_once) == names_of(one_by_one) == sorted(chosen, key=ORDER.index)


def test_a_hook_of_a_users_own_comes_behind_all_and_others_pass_it():
    assert place("MyOwn", ["GradientClip", "WeightAverage"]) == 2
    assert place("UphillDrift", ["MyOwn", "GradientClip"]) == 1
    assert place("WeightAverage", ["MyOwn", "GradientClip"]) == 2


def test_the_drift_of_the_script_is_before_its_clip():
    base = search_spaces.load("parameter_golf").scale("proxy").base
    both = with_values(base, {"hooks.GradientClip.max_norm": 1.0, "hooks.UphillDrift.radius": 0.1})
    active = [type(h).__name__ for h in both.hooks if h != type(h).neutral()]
    assert active == ["UphillDrift", "GradientClip"]


def test_a_decay_is_not_lost_when_quantised_weights_are_put_back(tiny, run_to_end):
    """Before, QuantisationAware was put behind, and its return to the weights of before the pass undid the decay."""
    decay, quantised = {"hooks.WeightDecayRamp.target": 0.9}, {"hooks.QuantisationAware.bits": 8}
    config = with_values(replace(tiny, hooks=()), {**decay, **quantised})
    assert names_of(config) == ["QuantisationAware", "WeightDecayRamp"]
    behind = replace(config, hooks=(WeightDecayRamp(target=0.9), QuantisationAware(bits=8)))
    alone = with_values(replace(tiny, hooks=()), quantised)

    def size(wanted: TrainConfig) -> float:
        weights = run_to_end(wanted).numbers["network"]
        return float(sum(torch.as_tensor(w).double().square().sum() for w in weights if torch.as_tensor(w).ndim == 2))

    assert size(config) < 0.9 * size(alone)
    assert size(behind) > size(config)
