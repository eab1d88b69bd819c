"""What every search space promises; a new folder in search_spaces is held to it without being listed here."""

from __future__ import annotations

import json
import random
from dataclasses import fields, replace

import pytest

import search_spaces
from search_spaces import objectives
from search_spaces.catalogue import own_names
from search_spaces.domains import Choice, Integer, LogUniform
from search_spaces.other_scale import factors_between
from search_spaces.space import label_at
from trainable.component import switched_off
from trainable.component_json import canonical_json, decode, encode
from trainable.component_paths import with_value

NAMES = [*search_spaces.names(), *own_names()]  # of a user's own where python -m tuner.contracts has loaded it
CASES = [(name, scale) for name in NAMES for scale in search_spaces.load(name).scales]


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def case(request):
    space = search_spaces.load(request.param[0])
    return space, space.scale(request.param[1]).base


def some_values(domain, draw: random.Random):
    """A value of a domain, drawn as a searcher would."""
    if isinstance(domain, Choice):
        return draw.choice(domain.labels)
    if isinstance(domain, Integer):
        return draw.randint(domain.low, domain.high)
    if isinstance(domain, LogUniform):
        return min(domain.high, max(domain.low, domain.low * (domain.high / domain.low) ** draw.random()))
    return draw.uniform(domain.low, domain.high)


def ends(domain) -> list:
    return list(domain.labels) if isinstance(domain, Choice) else [domain.low, domain.high]


def sample(space, draw: random.Random, **settled) -> dict:
    """Values of all knobs that are live; those in ``settled`` are not drawn."""
    values: dict = {}
    for knob in space.knobs:
        if space.active(knob, values):
            values[knob.path] = settled.get(knob.path, some_values(knob.domain, draw))
    return values


def made_live(space, knob) -> dict:
    """Values under which the condition of a knob holds, and those of its conditions."""
    values: dict = {}
    for path, labels in (knob.when or {}).items():
        values |= made_live(space, space.knob(path)) | {path: labels[0]}
    return values


def test_a_run_of_the_base_can_give_what_the_space_searches_for(case):
    space, base = case
    objectives.check(space.objective, base)


def test_the_rules_of_width_are_of_knobs_and_know_the_models_width(case):
    space, base = case
    for other in space.scales.values():
        assert set(factors_between(space, base, other.base)) <= {knob.path for knob in space.knobs}


def test_every_word_of_a_space_is_filled_in(case):
    space, _ = case
    assert space.question and space.knobs
    assert all(knob.why for knob in space.knobs)
    assert all(scale.about and scale.trials > 0 for scale in space.scales.values())
    if space.name not in own_names():  # a user's own may have one scale, which --scale then names
        assert space.question.endswith("?") and {"full", "proxy"} <= set(space.scales)


def test_the_base_lies_in_the_space_and_is_its_own_values(case):
    space, base = case
    values = space.values_of(base)
    for path, value in values.items():
        assert value in space.knob(path).domain, path
    assert space.config(base, values) == base


def test_every_end_of_every_knob_is_a_valid_config_that_has_it(case):
    space, base = case
    for knob in space.knobs:
        for value in ends(knob.domain):
            values = sample(space, random.Random(0), **made_live(space, knob), **{knob.path: value})
            assert values[knob.path] == value
            assert label_at(space.config(base, values), knob) == value, (knob.path, value)
            alone = {path: v for path, v in made_live(space, knob).items()} | {knob.path: value}
            assert label_at(space.config(base, alone), knob) == value, (knob.path, value)


def test_a_condition_names_labels_that_its_knob_has_and_can_hold_and_fail(case):
    space, _ = case
    for knob in space.knobs:
        for path, labels in (knob.when or {}).items():
            domain = space.knob(path).domain
            assert isinstance(domain, Choice) and set(labels) < set(domain.labels), knob.path


def test_samples_are_valid_different_and_sampled_only_where_live(case):
    space, base = case
    draw = random.Random(7)
    keys, drawn = set(), set()
    for _ in range(200):
        values = sample(space, draw)
        drawn.add(json.dumps(values, sort_keys=True))
        config = space.config(base, values)
        keys.add(config.key("data"))
        assert decode(json.loads(canonical_json(config))).key("data") == config.key("data")
        assert space.values_of(config) == values
    assert len(keys) == len(drawn) > 1, "two samples are one config"
    if space.name not in own_names():  # a user's own may have a few values in all
        assert len(keys) == 200


def test_a_knob_that_is_not_live_has_no_field_or_no_effect(case):
    """Under the labels that a condition leaves out, its others met, the field is gone, switched off or its group is."""
    space, base = case
    for knob in space.knobs:
        for path, labels in (knob.when or {}).items():
            for label in set(space.knob(path).domain.labels) - set(labels):
                met = {other: allowed[0] for other, allowed in (knob.when or {}).items() if other != path}
                config = space.config(base, {**met, path: label})
                if knob.path in switched_off(config):
                    assert all(knob.path in switched_off(with_value(config, knob.path, v)) for v in ends(knob.domain))
                elif knob.path.startswith(f"{path}."):
                    with pytest.raises(ValueError, match="has no knob"):
                        with_value(config, knob.path, some_values(knob.domain, random.Random(1)))
                else:
                    known = {f.name for f in fields(config.model)}
                    size = {"num_layers": 1, "encoder_layers": 0, "model_dim": 32}
                    small = replace(config.model, **{name: size[name] for name in size.keys() & known})
                    groups = [config.optimizer.groups(small.build(260, 8))]
                    for value in ends(knob.domain):
                        groups.append(with_value(config, knob.path, value).optimizer.groups(small.build(260, 8)))
                    assert len({tuple((g.name, g.lr) for g in group) for group in groups}) == 1, (knob.path, label)


def test_a_value_outside_every_range_is_refused(case):
    space, base = case
    for knob in space.knobs:
        numbers = not isinstance(knob.domain, Choice)
        outside = [knob.domain.high + abs(knob.domain.high) + 1, float("nan"), True] if numbers else ["no such label"]
        for value in outside:
            with pytest.raises(ValueError, match=f"{knob.path} is .* but must be in"):
                space.config(base, {knob.path: value})


def test_every_column_can_hold_the_values_it_will_get(case):
    space, _ = case
    python_types = {"float64": (float, int), "int64": int, "bool": bool, "string": str}
    for knob in space.knobs:
        kind = python_types[space.column_types()[knob.path]]
        values = [some_values(knob.domain, random.Random(i)) for i in range(20)] + ends(knob.domain)
        assert all(value is None or isinstance(value, kind) for value in values), knob.path


def test_fixing_any_knob_leaves_a_space_that_holds_its_base(case):
    space, base = case
    for knob in space.knobs:
        for label in ends(knob.domain):
            value = knob.domain.options[label] if isinstance(knob.domain, Choice) else label
            settled = {path: space.knob(path).domain.options[v] for path, v in made_live(space, knob).items()}
            fixed, rest = space.fixed(base, {**settled, knob.path: value})
            assert knob.path not in {k.path for k in rest.knobs}
            values = rest.values_of(fixed)
            assert rest.config(fixed, values) == fixed, (knob.path, label)
            assert all(v in rest.knob(p).domain for p, v in values.items()), (knob.path, label)


def test_the_proxy_keeps_the_structure_of_the_full_scale(case):
    space, _ = case
    if space.name in own_names() and not {"full", "proxy"} <= set(space.scales):
        pytest.skip("it has no scales full and proxy to hold against each other")
    full, proxy = (encode(space.scale(name).base) for name in ("full", "proxy"))
    for name in ("num_layers", "num_heads", "num_kv_heads", "encoder_layers", "mlp_mult", "mlp", "block"):
        assert full["model"].get(name) == proxy["model"].get(name), name
    for scale in (
        full,
        proxy,
    ):  # a rule's reference is a size: shrunk with the model, it leaves effective rates as they are
        scale["optimizer"] = {k: v for k, v in scale["optimizer"].items() if not k.endswith("_reference")}
    for name in ("schedule", "optimizer", "losses", "hooks", "horizon", "seed"):
        assert full[name] == proxy[name], name
