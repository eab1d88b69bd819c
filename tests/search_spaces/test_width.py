"""Rules of width: factors between two widths, ranges that hold the moved values, and what is no rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search_spaces import load
from search_spaces.domains import Choice, LogUniform, Uniform
from search_spaces.other_scale import factors_between
from search_spaces.space import Knob
from search_spaces.width import WidthRules, with_moved
from trainable.component_paths import with_value

GOLF = load("parameter_golf")
PROXY, FULL = GOLF.scale("proxy").base, GOLF.scale("full").base


def test_a_rate_of_exponent_minus_one_falls_as_the_width_grows_and_rises_as_it_shrinks() -> None:
    rules = WidthRules(exponents={"optimizer.head_lr": -1, "model.logit_softcap": 0.5})
    assert rules.factors(PROXY, FULL) == {"optimizer.head_lr": 1 / 8, "model.logit_softcap": 8**0.5}
    assert rules.factors(FULL, PROXY)["optimizer.head_lr"] == 8


def test_nothing_moves_between_scales_of_one_width() -> None:
    assert factors_between(GOLF, PROXY, GOLF.scale("replay").base) == {}


def test_the_width_is_that_of_the_bases_and_not_of_the_scales_as_they_are_written() -> None:
    wider = with_value(PROXY, "model.model_dim", 256)
    assert factors_between(GOLF, wider, FULL) == dict.fromkeys(("optimizer.tied_embed_lr", "optimizer.head_lr"), 0.5)


def test_a_space_without_rules_need_have_no_width() -> None:
    bare = replace(GOLF, width_rules=WidthRules(width="model.nothing"))
    assert factors_between(bare, PROXY, FULL) == {}


def test_the_range_at_the_other_width_holds_both_what_was_searched_and_what_comes_of_it() -> None:
    moved = with_moved(LogUniform(0.01, 1.0), 0.125)
    assert moved == LogUniform(0.00125, 1.0)
    assert all(value * 0.125 in moved for value in (0.01, 0.3, 1.0)) and 0.0012 not in moved
    assert with_moved(Uniform(0.0, 2.0), 4.0) == Uniform(0.0, 8.0)


def test_a_rule_is_for_ranges_of_fractions_and_for_knobs_that_exist() -> None:
    choice = Knob("model.num_kv_heads", Choice(1, 2), "heads")
    with pytest.raises(ValueError, match=r"model\.num_kv_heads has a rule of width, which is for a Uniform"):
        replace(GOLF, knobs=(choice,), width_rules=WidthRules(exponents={choice.path: 1}))
    wrong = replace(GOLF, width_rules=WidthRules(exponents={"optimizer.hed_lr": -1}))
    with pytest.raises(ValueError, match=r"rule of width for 'optimizer\.hed_lr': did you mean 'optimizer\.head_lr'"):
        factors_between(wrong, PROXY, FULL)
    with pytest.raises(ValueError, match="exponent '-1', which must be a number"):
        WidthRules(exponents={"optimizer.head_lr": "-1"})  # type: ignore[dict-item]
