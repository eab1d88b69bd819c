"""The keys of the replays that are kept here: a change of code that changes one would lose every trial run so far."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from results.store.campaign_folder import Store
from trainable.alike_configs import AlikeConfigs
from trainable.component_json import decode

RECORDED = Path(__file__).parents[2] / "results" / "recorded"


@pytest.mark.parametrize("space", ["parameter_golf", "ngpt"])
def test_each_recorded_config_still_has_the_key_it_was_trained_under(space):
    rows = Store.open(RECORDED / space).trials()
    assert len(rows) > 50
    changed = [row["number"] for row in rows if decode(json.loads(row["config"])).key(row["data"]) != row["key"]]
    assert changed == []
    alike = AlikeConfigs()
    changed = [row for row in rows if alike.key(alike.decode(json.loads(row["config"])), row["data"]) != row["key"]]
    assert changed == [], "all of them together"
