"""Effects on the page: the words above them, the grey band and the intervals agree."""

from __future__ import annotations

import pytest

from benchmarks.made_up_campaign import make
from results import load
from results.design import Design
from results.page.findings import effect_rows


def test_without_noise_no_effect_is_said_to_be_no_more_than_noise(campaign) -> None:
    drawn = effect_rows(load(campaign))
    assert drawn is not None and drawn["noise"] is None and "nothing tells the noise" in drawn["hint"]
    assert {row["colour"] for row in drawn["rows"]} == {"soft"}
    said = {text for _, _, text in drawn["meanings"]}
    assert "not established" in said and "no more than noise" not in said


def test_band_words_and_intervals_of_the_effects_are_of_one_level(tmp_path) -> None:
    results = load(make(tmp_path / "night", 24, points=5))
    drawn, table = effect_rows(results), results.effects()
    trials = table[table["kind"] == "trial"]
    assert drawn is not None and len(trials) > 1
    assert ["soft", "circle", "no more than noise"] in drawn["meanings"]
    half = (trials["high"] - trials["low"]).iloc[0] / 2
    assert drawn["noise"] == pytest.approx(half, rel=1e-5) and f"{half:.4f} at the same level" in drawn["hint"]
    out = trials["finding"].eq("stands out")
    assert (out == (trials["difference"].abs() > half)).all(), "a ring lies beyond the band"
    assert f"of {len(trials)} trials each at {100 * trials['confidence'].iloc[0]:.4g} %" in drawn["hint"]


def test_a_confirmation_by_simulated_levels_does_not_say_that_each_interval_is_at_a_level_of_its_own(tmp_path) -> None:
    results = load(make(tmp_path / "night", 24, points=5))
    results.rows["design"] = results.rows["design"].replace("3x3", Design(3, 3, 3).in_row)
    drawn, table = effect_rows(results), results.effects()
    candidates = (table["kind"] == "confirmation").sum()
    assert drawn is not None and candidates > 1
    assert f"of {candidates} candidates by simulated campaigns without an effect, of " in drawn["hint"]
