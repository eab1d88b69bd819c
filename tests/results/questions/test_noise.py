"""The noise of a run: from a confirmation, from a replay, from replicates of a search, or unknown."""

from __future__ import annotations

import pytest
from scipy import stats

from results import load
from results.questions.noise import noise
from results.statistics.leaderboard import paired_noise


def test_a_confirmation_tells_the_noise_beside_what_a_seed_does_to_all(confirmed) -> None:
    (row,) = noise(confirmed()).to_dict("records")
    assert (row["source"], row["paired"], row["configs"], row["runs"]) == ("confirmation 1", True, 3, 9)
    found = confirmed_values(confirmed)
    known = paired_noise(found)
    assert known is not None and row["sd"] == pytest.approx(known.sd) and row["degrees_of_freedom"] == 4
    chi = stats.chi2(4)
    assert row["low"] == pytest.approx(known.sd * (4 / chi.ppf(0.975)) ** 0.5)
    assert row["high"] == pytest.approx(known.sd * (4 / chi.ppf(0.025)) ** 0.5)
    assert row["smallest_difference"] == pytest.approx(stats.t(4).ppf(0.975) * known.sd * 2**0.5)


def confirmed_values(confirmed) -> list[dict[int, float]]:
    runs = confirmed(name="again").confirmations
    return [dict(zip(arm["seed"], arm["value"], strict=True)) for _, arm in runs.groupby("arm")]


def test_a_config_that_failed_says_nothing_of_the_noise(searched, ended, written, confirmed) -> None:
    rows = confirmed(name="whole").rows
    assert len(rows) == 15
    one = {"stage": "confirm", "round": 0, "design": "2x2", "is_base": False}
    found = list(searched)
    for number, (arm, seed, value) in enumerate(
        [(0, 7, 1.6), (3, 7, 1.4), (1, 7, None), (0, 8, 1.61), (3, 8, 1.42), (1, 8, 1.5)], 10
    ):
        status = "completed" if value else "diverged"
        cells = one | {"arm": f"{arm:016x}", "seed": seed, "is_base": not arm}
        found.append(ended(number, status, value, {} if not arm else {"model.tied": False}, **cells))
    (row,) = noise(written(found)).to_dict("records")
    assert (row["configs"], row["runs"], row["degrees_of_freedom"]) == (2, 4, 1)


def test_configs_of_a_search_on_several_seeds_are_replicates(ended, written) -> None:
    values = {(1, 0): 1.0, (2, 0): 1.2, (3, 1): 2.0, (4, 1): 2.0, (5, 1): 2.3, (6, 2): 9.0}
    rows = [
        ended(seed, "completed", value, {"optimizer.matrix_lr": 0.1 * config} if config else {}, seed=seed)
        for (seed, config), value in values.items()
    ]
    (row,) = noise(written(rows)).to_dict("records")
    assert (row["source"], row["paired"]) == ("replicates", False)
    assert (row["configs"], row["runs"], row["degrees_of_freedom"]) == (2, 5, 3)
    assert row["sd"] == pytest.approx(((0.02 + 0.06) / 3) ** 0.5)


def test_without_replicates_there_is_no_row_but_the_columns(searched, written) -> None:
    found = noise(written(searched))
    assert found.empty and "smallest_difference" in found and str(found["sd"].dtype) == "float64"


def test_a_replay_has_the_noise_here_and_in_its_log_as_results_compare_prints_it() -> None:
    found = noise(load("results/recorded/parameter_golf")).set_index("source")
    assert list(found.index) == ["replay", "record"]
    assert found.loc["replay", ["configs", "runs", "degrees_of_freedom"]].tolist() == [12, 36, 24]
    assert (found["runs"] - found["configs"] == found["degrees_of_freedom"]).all()
    assert found.loc["record", "sd"] == pytest.approx(0.0018, abs=5e-5)
