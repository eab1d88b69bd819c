"""The space of a user's own train function: what domains are read as, what is refused, and what a config is."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from search_spaces import own_train
from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.own_train import OwnConfig, OwnSpace, own_space
from trainable.config import Budget

DOMAINS = {"lr": "0.001..0.1 log", "momentum": "0..1", "width": "4..64", "act": "relu|gelu", "batch": [16, 32]}
BASE = {"lr": 0.01, "momentum": 0.9, "width": 8, "act": "relu", "batch": 32}


def made(domains=DOMAINS, base=BASE, steps=100) -> tuple[OwnSpace, OwnConfig]:
    return own_space("train", domains, base, steps, 7, "loss")


def test_domains_are_read_as_their_base_is_written() -> None:
    space, base = made()
    assert [knob.domain for knob in space.knobs] == [
        LogUniform(0.001, 0.1), Uniform(0.0, 1.0), Integer(4, 64), Choice("relu", "gelu"), Choice(16, 32),
    ]  # fmt: skip
    assert space.values_of(base) == BASE and base.budget == Budget(steps=100) and base.seed == 7
    given, _ = made({"a": Uniform(0, 1), "b": Integer(1, 3), "c": "true|null|false"}, {"a": 1, "b": 2, "c": None})
    assert [str(knob.domain) for knob in given.knobs] == ["0 .. 1", "1 .. 3", "true | null | false"]


def test_a_config_is_the_base_with_values_set_and_hands_in_seed_and_steps() -> None:
    space, base = made()
    config = space.config(base, {"width": 16})
    assert config.handed_in() == {**BASE, "width": 16, "seed": 7, "steps": 100}
    assert own_train.of_json(json.loads(json.dumps(config.to_json()))) == config
    with pytest.raises(ValueError, match=r"width is 65 but must be in 4 \.\. 64"):
        space.config(base, {"width": 65})


def test_the_key_is_of_values_steps_seed_and_function() -> None:
    space, base = made()
    others = [space.config(base, {"width": 9}), replace(base, seed=8), replace(base, budget=Budget(steps=99))]
    assert len({base.key("f"), base.key("g"), *(other.key("f") for other in others)}) == 5
    assert base.key("f") == space.config(base, BASE).key("f")


WRONG = {
    "no mapping": (([], BASE, 9), r"space is \[\] but must be a mapping"),
    "no base": (({"a": "0..1"}, {}, 9), "base has no value for 'a'"),
    "base beside it": (
        ({"lr": "0..1"}, {"lr": 0.5, "rl": 1}, 9),
        "base has 'rl', which the space has not: valid names: lr",
    ),
    "outside": (({"a": "0..1"}, {"a": 2.0}, 9), r"base: a is 2.0 but must be in 0 \.\. 1"),
    "seed": (({"seed": "0..9"}, {"seed": 1}, 9), "the space must not have 'seed'"),
    "name": (({"a b": "0..9"}, {"a b": 1}, 9), "the space's name 'a b' must be text"),
    "steps": (({"a": "0..1"}, {"a": 0.5}, 0), "steps is 0 but must be a whole number in 1.."),
    "fractions of a whole": (({"a": "0.5..9"}, {"a": 2}, 9), "so must be the bounds"),
    "down": (({"a": "9..1"}, {"a": 2}, 9), "space: a is '9..1': a domain goes from 9 to 1 but must go up"),
    "log of zero": (({"a": "0..1 log"}, {"a": 0.5}, 9), "must be positive"),
    "words": (({"a": "0..1 lin"}, {"a": 0.5}, 9), "LOW..HIGH log, with two numbers"),
    "nothing": (({"a": 3}, {"a": 3}, 9), r"space: a is 3 but must be LOW\.\.HIGH"),
    "objects": (({"a": [object, 1]}, {"a": 1}, 9), "must be a number, text, True, False or None"),
    "one option": (({"a": [1]}, {"a": 1}, 9), "at least two options"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_searched_is_refused_in_one_line(case: str) -> None:
    asked, message = WRONG[case]
    with pytest.raises(ValueError, match=message) as raised:
        made(*asked)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("damaged", ["null", "[]", '{"type": "GPT"}', '{"type": "OwnConfig", "values": {}}'])
def test_json_of_something_else_is_no_config(damaged: str) -> None:
    with pytest.raises(ValueError, match="none of a train function"):
        own_train.of_json(json.loads(damaged))


def test_values_and_seeds_of_other_types_are_no_config() -> None:
    good = made()[1].to_json()
    for name, value in {"values": {"a": []}, "seed": True, "steps": "9"}.items():
        with pytest.raises(ValueError, match="must be"):
            own_train.of_json({**good, name: value})


@pytest.mark.parametrize(
    ("given", "base", "says"),
    [
        ([1.0, float("inf")], 1.0, "inf must be in -1e"),
        ("1|1e400", 1, "a is '1|1e400'"),
        ([1, 2**70], 1, "must be in -9.0072e"),
        ("-1e308..1e308", 0.5, "must be in -1e"),
        ("1..99999999999999999999999", 1, "must be in -9.0072e"),
        ([True, 2, None], True, "of one kind"),
        (["a", 1], "a", "of one kind"),
    ],
)
def test_a_domain_that_no_sampler_or_column_can_hold_is_refused(given, base, says) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        made({"a": given}, {"a": base})
