"""The text of a key, made part by part, against the canonical JSON of the config without what changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from trainable.component import components, without_neutral
from trainable.component_json import canonical_json, encode, fingerprint, without_null
from trainable.config import TrainConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.key_text import part_text
from trainable.losses.z_loss import ZLoss
from trainable.models.gpt import GPT


@pytest.mark.parametrize("cls", components())
def test_the_text_of_each_component_is_its_canonical_json_without_what_does_nothing(cls):
    for value in (cls.example(), cls.neutral()):
        if value is not None:
            assert part_text(value) == canonical_json(without_null(encode(without_neutral(value))))


def test_a_key_is_the_hash_of_that_text_with_the_data_by_their_fingerprint():
    neutral = ZLoss.neutral()
    assert neutral is not None
    config = TrainConfig(losses=(neutral,), hooks=(GradientClip(max_norm=1),), seed=7, model=GPT(rope_base=500))
    data = without_null(encode(without_neutral(config)))
    del data["data"]["source"]
    data["data"]["fingerprint"] = 'a "data" set'
    assert config.key('a "data" set') == fingerprint(data)
    assert json.loads(part_text(config))["losses"] == []


def test_a_known_text_stands_for_its_part_and_for_no_other():
    config = TrainConfig(hooks=(GradientClip(max_norm=2.0),))
    known = {id(config.hooks): "[1]"}
    other = replace(config, hooks=(GradientClip(max_norm=2.0),))
    assert config.key("data", known) != config.key("data") == other.key("data", known)
