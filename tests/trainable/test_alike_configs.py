from __future__ import annotations

import json
from dataclasses import replace

import pytest

from trainable import alike_configs
from trainable.alike_configs import AlikeConfigs
from trainable.component_json import canonical_json, decode
from trainable.config import TrainConfig
from trainable.hooks.gradient_clip import GradientClip
from trainable.hooks.weight_average import WeightAverage
from trainable.schedules import Tidal

FIRST = TrainConfig(hooks=(GradientClip(max_norm=2.0), WeightAverage(decay=0.5)), seed=1)
SECOND = replace(FIRST, schedule=Tidal(), seed=2)


def in_json(config):
    return json.loads(canonical_json(config))


def test_equal_parts_of_two_configs_are_one_object_and_the_configs_as_they_were():
    alike = AlikeConfigs()
    first, second, third = (alike.decode(in_json(config)) for config in (FIRST, SECOND, FIRST))
    assert (first, second, third) == (FIRST, SECOND, FIRST)
    assert first.hooks is second.hooks is third.hooks and first.data is second.data and first.schedule is third.schedule
    for config in (first, second, third):
        assert alike.key(config, "data") == config.key("data") == decode(in_json(config)).key("data")


def test_a_part_with_a_number_of_another_type_is_looked_at_by_itself():
    alike, data = AlikeConfigs(), in_json(FIRST)
    alike.decode(data)
    data["hooks"][0]["max_norm"] = 2  # which is brought to 2.0
    assert alike.decode(data) == FIRST
    for wrong, why in ((True, "max_norm is true but"), ("2", "max_norm is '2'"), (-1.0, "max_norm is -1.0")):
        data["hooks"][0]["max_norm"] = wrong
        for _ in range(2):  # what is wrong is not kept either
            with pytest.raises(ValueError, match=why):
                alike.decode(data)


def test_a_part_that_fits_one_field_does_not_fit_another():
    alike, data = AlikeConfigs(), in_json(FIRST)
    alike.decode(data)
    with pytest.raises(ValueError, match="optimizer is Cosine"):
        alike.decode({**data, "optimizer": data["schedule"]})


def test_what_comes_after_the_last_part_that_is_kept_is_decoded_all_the_same(monkeypatch):
    monkeypatch.setattr(alike_configs, "MOST", 1)
    alike = AlikeConfigs()
    for config in (FIRST, SECOND, FIRST, SECOND):
        found = alike.decode(in_json(config))
        assert found == config and alike.key(found, "data") == config.key("data")
