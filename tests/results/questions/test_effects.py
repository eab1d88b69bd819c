"""What each change did: differences with their intervals and verdicts, of every kind of comparison."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from results import load
from results.questions.effects import effects, first_effects
from results.questions.noise import noise
from results.replays.comparison import compare

RECORDED = "results/recorded/ngpt"


def test_a_trial_is_held_against_the_base_and_judged_by_the_noise_of_the_confirmation(confirmed) -> None:
    campaign = confirmed()
    found = effects(campaign)
    trials = found[found["kind"] == "trial"].set_index("trial")
    assert list(trials.index) == [3, 1, 5], "the best first, completed ones alone, without the base"
    assert trials["difference"].tolist() == pytest.approx([-0.2, -0.1, 0.05])
    assert trials.loc[1, ["changes", "num_changes"]].tolist() == ["optimizer.matrix_lr=0.06", 1]
    assert trials.loc[3, "num_changes"] == 2
    sd = noise(campaign)["sd"].item()
    half = stats.t(4).ppf(1 - 0.05 / 3 / 2) * sd * 2**0.5  # 95 % for the three of them together
    assert trials.loc[1, "low"] == pytest.approx(-0.1 - half) and trials.loc[1, "high"] == pytest.approx(-0.1 + half)
    assert trials["confidence"].tolist() == pytest.approx([1 - 0.05 / 3] * 3)
    assert trials["verdict"].tolist() == [f"stands out: {side}, one run only" for side in ("lower", "lower", "higher")]
    assert not trials["better"].any() and set(trials["finding"]) == {"stands out"}


def test_only_runs_on_fresh_seeds_or_replicates_establish_anything(confirmed) -> None:
    found = effects(confirmed(ablated=True))
    single = found["runs"] == 1
    assert single.any() and not found.loc[single, "finding"].isin(["established", "contradicts"]).any()
    assert not found.loc[single, "better"].any() and (found.loc[~single, "finding"] == "established").any()


def test_a_difference_within_the_noise_is_not_established(confirmed, ended, written) -> None:
    campaign = confirmed()
    rows = [row for row in campaign.rows.to_dict("records") if row["number"] not in (3, 5)]
    assert len(rows) == 13
    sd = noise(campaign)["sd"].item()
    close = [ended(0, "completed", 1.9), ended(1, "completed", 1.9 - sd, {"optimizer.matrix_lr": 0.06})]
    after = [
        ended(row["number"], "completed", row["value"], {} if row["is_base"] else {"model.tied": False},
              **{name: row[name] for name in ("stage", "arm", "round", "design", "seed", "is_base")})
        for row in rows if row["stage"] == "confirm"
    ]  # fmt: skip
    found = effects(written([*close, *after], name="close"))
    (trial,) = found[found["kind"] == "trial"].to_dict("records")
    assert trial["verdict"] == "not established: within the noise" and not trial["better"]
    assert trial["low"] < 0 < trial["high"]


def test_a_confirmation_gives_each_candidate_its_paired_interval(confirmed) -> None:
    campaign = confirmed()
    found = effects(campaign)
    assert found["kind"].tolist() == ["confirmation"] * 2 + ["trial"] * 3, "the most trustworthy first"
    best = found.iloc[0]
    assert (best["trial"], best["against"], best["runs"], best["other_runs"]) == (3, "base", 3, 3)
    assert best["low"] < best["difference"] < best["high"] < 0 and best["verdict"] == "established: better"
    assert best["difference"] == pytest.approx(-0.2, abs=0.01) and 0.95 < best["confidence"] < 1
    assert best["changes"] == "optimizer.matrix_lr=0.06, model.tied=false"


def test_an_ablation_says_what_the_winner_loses_without_each_change(confirmed) -> None:
    found = effects(confirmed(ablated=True))
    undone = found[found["kind"] == "ablation"].set_index("changes")
    assert list(undone.index) == ["optimizer.matrix_lr", "model.tied"] and set(undone["against"]) == {"winner"}
    assert undone.loc["optimizer.matrix_lr", "verdict"] == "established: worse"
    assert undone.loc["optimizer.matrix_lr", "difference"] == pytest.approx(0.21, abs=0.01)
    assert undone.loc["model.tied", "verdict"].startswith("not established")
    assert undone["low"].notna().all() and set(undone["confidence"]) == {0.95}


def test_without_replicates_differences_stand_without_interval_and_nothing_is_established(searched, written) -> None:
    found = effects(written(searched))
    assert len(found) == 3 and found[["low", "high", "confidence"]].isna().all(axis=None)
    assert set(found["verdict"]) == {"not established: the noise is unknown, for want of replicates"}
    assert not found["better"].any() and found["difference"].notna().all()


def test_without_a_completed_base_there_is_nothing_to_compare(searched, ended, written) -> None:
    for status in ("crashed", "running"):
        found = effects(written([ended(0, status), *searched[1:]], name=status))
        assert found.empty and list(found)[:3] == ["kind", "name", "trial"]


@pytest.mark.parametrize("space", ["parameter_golf", "ngpt"])
def test_a_replay_says_the_same_as_results_compare(space) -> None:
    campaign = load(f"results/recorded/{space}")
    found, comparison = effects(campaign), compare(campaign)
    claims, runs = found[found["kind"] == "claim"], found[found["kind"] == "replayed run"]
    known = comparison.effects.dropna(subset="measured_difference")
    assert claims["difference"].tolist() == known["measured_difference"].tolist()
    assert claims["finding"].tolist() == known["measured_verdict"].tolist()
    here = comparison.runs.dropna(subset="measured_difference").sort_values("measured")
    assert runs["finding"].tolist() == here["measured_verdict"].tolist() and len(runs) == len(here) > 10
    outside = (runs["low"] > 0) | (runs["high"] < 0)
    assert (outside == (runs["finding"] != "not established")).all()


@pytest.mark.parametrize("most", [1, 4, 99])
def test_the_first_effects_are_those_of_the_table_and_all_are_counted(most, confirmed, searched, written) -> None:
    for there in (confirmed(ablated=True), written(searched, name="alone"), load(RECORDED)):
        found, count = first_effects(there, most)
        pd.testing.assert_frame_equal(found, there.effects().head(most))
        assert count == len(there.effects())
