from __future__ import annotations

from benchmarks import confirm_power
from benchmarks.confirm_power import BASE, EFFECT, ON, mean_of, searched, wins_after_tpe
from benchmarks.simulated_campaign import whole_campaign
from results.design import Design

DESIGN = Design(3, 3, 5)


def test_an_effect_is_that_of_the_knob_that_matters() -> None:
    assert mean_of(BASE, EFFECT) == 0 and mean_of(BASE | {"switch 0": ON}, EFFECT) == EFFECT


def test_a_search_leaves_out_the_base_and_repeats_itself() -> None:
    found = searched(EFFECT, seed=3)
    assert len(found) == confirm_power.TRIALS - 1 and found == searched(EFFECT, seed=3)
    assert sum(values["switch 0"] == ON for values in found[:3]) >= 2


def test_wins_are_rare_in_null_campaigns_and_common_where_there_is_an_effect() -> None:
    assert wins_after_tpe(0.0, 10) <= 1 and wins_after_tpe(EFFECT, 10) >= 8


def test_a_whole_campaign_establishes_a_large_effect_and_not_a_missing_one(tmp_path) -> None:
    def large(config: str, progress: float) -> float:
        jitter = sum(config.encode()) % 17 / 1000
        return jitter if '"GradientClip", "max_norm": null' not in config or "Warmdown" in config else 1 + jitter

    assert whole_campaign(tmp_path / "large", DESIGN, 6, large, seed=1)
    assert not whole_campaign(tmp_path / "none", DESIGN, 6, lambda config, progress: 1.0, seed=1)
