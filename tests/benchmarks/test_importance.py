from __future__ import annotations

import numpy as np
import pytest

from benchmarks import importance, made_up_spaces
from benchmarks.made_up_spaces import NOISE


@pytest.fixture(scope="module")
def additive():
    return made_up_spaces.additive()


def test_the_shares_of_an_additive_space_are_the_variances_of_its_parts(additive):
    random = np.random.default_rng(1)
    rate, size, share, rest = (random.random(100_000) for _ in range(4))
    levels = np.floor(size * 8) / 7
    parts = {"knob_0": 2.4 * (rate - 0.6) ** 2, "knob_3": 0.45 * levels, "knob_1": 0.35 * share}
    parts["knob_5"] = 0.9 * (rest - 0.4) ** 2
    whole = sum(float(part.var()) for part in parts.values()) + NOISE**2
    for path, part in parts.items():
        assert additive.shares[path] == pytest.approx(float(part.var()) / whole, abs=0.02)
    assert additive.important == ["knob_0", "knob_3", "knob_1", "knob_5"]


def test_a_campaign_is_one_of_the_product_with_early_stopping(additive):
    results = made_up_spaces.campaign(additive, 24, seed=3)
    assert len(results.trials) == 24 and set(results.trials["status"]) == {"completed", "stopped"}
    assert results.trials["is_base"].tolist() == [True] + [False] * 23
    assert results.reports["milestone"].dropna().isin([60.0, 120.0, 240.0]).all()


def test_a_conditional_knob_has_a_value_where_it_is_active_only():
    rows = made_up_spaces.campaign(made_up_spaces.conditional(), 24, seed=3).trials
    assert (rows["kind.rate"].notna() == rows["kind"].isin(["slow", "mixed"])).all()


def test_recall_and_rank_count_knobs_that_are_level_as_not_found(additive):
    first = dict.fromkeys(additive.shares, 0.0) | {path: 1.0 for path in additive.important}
    assert importance.order(first, additive) == {"recall": 1.0, "rank": 2.5}
    assert importance.order({}, additive) == {"recall": 0.0, "rank": 7.0}
    assert importance.order({"knob_0": 1.0}, additive)["recall"] == 0.25
