"""A field in words: type, range, default and comment."""

from __future__ import annotations

import dataclasses

import pytest

from search_spaces import catalogue
from search_spaces.reference.fields import comments, default_in_words, range_in_words, type_in_words, value_in_words
from search_spaces.reference.searched import domain_in_words, holding, searches
from trainable.component import component
from trainable.config import Budget, TrainConfig
from trainable.data.dataset import DataConfig
from trainable.losses.loss_term import LossTerm
from trainable.models import query_key_value
from trainable.models.gpt import GPT
from trainable.models.query_key_value import SeparateHeads
from trainable.optimizers.muon_adam import MuonAdam
from trainable.schedules import Breathing, Cosine, Punctuated, Tidal


@pytest.mark.parametrize(
    ("cls", "field", "words"),
    [
        (MuonAdam, "matrix_lr", "number"),
        (GPT, "tie_embeddings", "true or false"),
        (GPT, "encoder_layers", "whole number or null"),
        (GPT, "block", "block"),
        (TrainConfig, "hooks", "list of hooks"),
        (TrainConfig, "horizon", "Budget or null"),
        (Punctuated, "centres", "list of numbers"),
        (DataConfig, "source", "text"),
    ],
)
def test_a_type_is_in_plain_words(cls, field, words) -> None:
    assert type_in_words(cls, field) == words


@pytest.mark.parametrize(
    ("cls", "field", "words"),
    [
        (Cosine, "min_lr_frac", "in [0, 1]"),
        (Budget, "steps", "at least 1 and at most 2^62"),
        (Budget, "flops", "at least 1 and at most 1e30"),
        (MuonAdam, "muon_ns_steps", "in 1..20"),
        (DataConfig, "order", "one of stream, epochs, spans"),
        (DataConfig, "source", "'stdlib', the name of a dataset, or a path"),
    ],
)
def test_a_range_is_the_rule_that_its_error_names(cls, field, words) -> None:
    assert range_in_words(cls, field) == words


def test_a_rule_without_its_names_gets_them() -> None:
    assert set(range_in_words(SeparateHeads, "order").removeprefix("one of ").split(", ")) == set(
        query_key_value.ORDERS
    )


def test_values_are_as_they_are_typed() -> None:
    values = [None, True, 1.0, 0.1, 1e-8, 524288, "zlib", (0.25, 0.5), (), Cosine(), Cosine(cycles=2)]
    said = ["`null`", "`true`", "`1`", "`0.1`", "`1e-08`", "`524288`", "`zlib`", "`[0.25, 0.5]`", "`[]`", "`Cosine`"]
    assert [value_in_words(value) for value in values] == [*said, "`Cosine` (cycles `2`)"]
    warm = next(field for field in dataclasses.fields(Breathing) if field.name == "warm_frac")
    assert default_in_words(warm) == "about `0.2105`"


def test_the_comment_beside_a_field_is_its_meaning_also_of_an_inherited_one_and_above_it() -> None:
    assert comments(GPT)["model_dim"] == "width of the residual stream"
    assert comments(component("Artifact", "Artifact"))["min_clip"].startswith("Smallest clip of a row")
    assert comments(component("ZLoss", "loss term"))["weight"] == comments(LossTerm)["weight"] != ""
    assert not any("type:" in said or "noqa" in said for said in comments(TrainConfig).values())


def test_a_knob_belongs_to_the_components_under_which_it_is_live() -> None:
    golf = catalogue.load("parameter_golf")
    assert holding(golf, golf.knob("schedule.warmup_frac")) == {Tidal}
    floor = {cls.__name__ for cls in holding(golf, golf.knob("schedule.min_lr_frac"))}
    assert floor == {"Cosine", "Tidal", "Breathing", "Warmdown"}
    assert holding(golf, golf.knob("schedule")) == {TrainConfig}
    assert [s.space for s in searches()["GPT", "num_kv_heads"]] == ["parameter_golf"]
    assert ("GPT", "model_dim") not in searches()


def test_a_domain_is_a_range_or_its_labels() -> None:
    golf = catalogue.load("parameter_golf")
    assert domain_in_words(golf.knob("optimizer.matrix_lr").domain) == "0.01 .. 0.3 (log)"
    assert domain_in_words(golf.knob("hooks.GradientClip.max_norm").domain) == "`null`, `0.3`, `1`"
