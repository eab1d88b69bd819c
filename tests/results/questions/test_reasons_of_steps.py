"""Next steps of a campaign with its own confirmation, and the reason why a gain cannot be said."""

from __future__ import annotations

import results
from benchmarks.made_up_campaign import make
from results.curve_notes import curves_without_loss
from results.questions.pareto import front_in_words
from results.statistics.leaderboard import leaderboard
from tests.results.questions.made_up_search import KNOBS, RANGES, place, search


def test_the_confirmation_that_a_campaign_asked_for_is_advised_and_not_another(make_trial, written) -> None:
    rows = search(make_trial, lambda row: (place(row) - 0.5) ** 2)
    found = written(rows, knobs=KNOBS, ranges=RANGES, trials=24, confirm="1x5..10").next_steps().set_index("step")
    confirm = found.loc["confirm"]
    assert "--confirm" not in confirm["command"] and confirm["command"].startswith("python -m tuner.run --resume night")
    assert confirm["runs"] == 10 and confirm["takes"].startswith("10 to 20 runs")


def test_a_gain_is_not_said_for_want_of_trials_at_the_end_where_they_are_compared_earlier(tmp_path) -> None:
    campaign = results.load(make(tmp_path / "night", 12, 5))
    rows = campaign.rows.copy()
    done = rows.index[rows["status"] == "completed"][2:]
    rows.loc[done, "status"] = "stopped"
    object.__setattr__(campaign, "rows", rows)
    steps = campaign.next_steps().set_index("step")
    why = steps.loc["more trials", "why"]
    assert why.startswith("cannot say what they would give: 2 of at least 5 trials can be compared at the end")
    assert why.endswith(" steps only") and ", the others at " in why and "12 of at least 12" not in why


def test_trials_beyond_a_limit_are_not_said_to_have_stopped_short_of_the_end(tmp_path) -> None:
    campaign = results.load(make(tmp_path / "night", 5, 5))
    rows = campaign.rows.copy()
    rows["status"] = rows["status"].astype(str)
    rows.loc[rows["number"] > 0, "status"] = "infeasible"
    rows.loc[rows["number"] > 0, "value"] = None
    object.__setattr__(campaign, "rows", rows)
    why = campaign.next_steps().set_index("step").loc["more trials", "why"]
    assert why == "cannot say what they would give: 1 of at least 5 trials can be compared at the end (4 infeasible)"


def test_a_front_that_is_empty_says_what_no_trial_has(make_trial, written) -> None:
    campaign = written(search(make_trial, lambda row: place(row), trials=6), knobs=KNOBS, ranges=RANGES)
    trials = campaign.trials
    full = leaderboard(trials.assign(train_seconds=1.0, extra_seconds=0.0), "train_seconds")
    none = leaderboard(trials.assign(train_seconds=None), "train_seconds")
    said = "no other trial is as good in both val_bpb and train_seconds"
    assert front_in_words(full, "val_bpb", "train_seconds") == said
    said = "empty, since no completed trial has both val_bpb and train_seconds"
    assert front_in_words(none, "val_bpb", "train_seconds") == said


def test_curves_without_a_training_loss_are_counted_and_named(tmp_path) -> None:
    campaign = results.load(make(tmp_path / "night", 6, 5))
    assert curves_without_loss(campaign) == ""
    first, second = (number for number in campaign.rows["number"][:2])
    for number in (first, second):
        values = {"reported_value": [1.0]}
        curve = {"steps": [1], "tokens": None, "values": values, "units": {"reported_value": "?"}}
        assert campaign.store.write_curve(campaign.rows["key"][number], number, curve)
    count = len(list(campaign.each_curve()))
    said = f"2 of {count} training curves have no values of the training loss: trials 0, 1"
    assert curves_without_loss(results.load(campaign.store.folder)) == said
