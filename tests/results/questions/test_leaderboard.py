"""The best trials, the winner and the front, as functions and as methods of a campaign."""

from __future__ import annotations

import pandas as pd
import pytest

import tuner
from results.questions.leaderboard import ranked
from results.questions.pareto import pareto
from results.questions.winner import winner

TWO = {"objective": "val_bpb", "objectives": ["val_bpb", "train_seconds"]}


def test_the_leaderboard_begins_with_what_people_look_for(confirmed) -> None:
    board = ranked(confirmed())
    assert list(board)[:6] == ["rank", "trial", "key", "status", "value", "versus_base"]
    assert board["trial"].tolist() == [3, 1, 0, 5, 2] and board["rank"].tolist()[:4] == [1, 2, 3, 4]
    assert board["changes"].tolist()[:3] == [
        "optimizer.matrix_lr=0.06, model.tied=false",
        "optimizer.matrix_lr=0.06",
        "",
    ]
    assert "number" not in board and "optimizer.matrix_lr" in board, "every other column is there once"


def test_no_run_of_a_confirmation_is_the_best_trial(confirmed) -> None:
    campaign = confirmed(ablated=True)
    assert campaign.rows["value"].min() < 1.5 and campaign.trials.sort_values("value").iloc[0]["number"] == 3
    assert set(campaign.trials["stage"].fillna("search")) == {"search"} and len(campaign.trials) == 6
    assert set(campaign.confirmations["stage"]) == {"confirm", "ablate"} and len(campaign.confirmations) == 15
    assert len(campaign.rows) == 21


def test_a_confirmed_winner_has_the_interval_of_its_pairs(confirmed) -> None:
    (won,) = winner(confirmed()).to_dict("records")
    assert (won["trial"], won["confirmed"], won["value"]) == (3, True, 1.7)
    assert won["low"] < won["difference"] < won["high"] < 0 and won["difference"] == pytest.approx(-0.2, abs=0.01)
    assert won["versus_base"] == pytest.approx(-0.2) != won["difference"], "of single runs, whatever was confirmed"
    assert won["verdict"] == "established: better"


def test_one_that_is_not_the_best_of_the_search_may_win(confirmed) -> None:
    (won,) = winner(confirmed(better=1.6, other=1.4)).to_dict("records")
    assert (won["trial"], won["confirmed"], won["value"]) == (1, True, 1.8)


def test_before_a_confirmation_the_lowest_leads_unconfirmed(searched, ended, written) -> None:
    (won,) = winner(written(searched)).to_dict("records")
    assert (won["trial"], won["confirmed"]) == (3, False) and won["versus_base"] == pytest.approx(-0.2)
    assert pd.isna(won["low"]) and pd.isna(won["high"])
    (alone,) = winner(written([ended(0, "completed", 1.5)], name="alone")).to_dict("records")
    assert alone["trial"] == 0 and pd.isna(alone["versus_base"]), "the base has nothing to be held against"
    assert winner(written([ended(0, "crashed")], name="none")).empty


def test_two_objectives_have_a_front_and_one_has_a_winner(ended, written) -> None:
    rows = [
        ended(0, "completed", 1.5, train_seconds=10.0),
        ended(1, "completed", 1.4, {"model.tied": False}, train_seconds=30.0),
        ended(2, "completed", 1.6, {"optimizer.matrix_lr": 0.1}, train_seconds=20.0),
    ]
    two, one = written(rows, **TWO), written(rows, name="one")
    front = pareto(two)
    assert front["trial"].tolist() == [1, 0] and front["second_value"].tolist() == [30.0, 10.0]
    assert set(front["second_objective"]) == {"train_seconds"} and ranked(two)["front"].sum() == 2
    with pytest.raises(ValueError, match=r"of two objectives \(val_bpb,train_seconds\) no trial is simply the best"):
        winner(two)
    with pytest.raises(ValueError, match=r"a campaign of one objective \(val_bpb\) has no front"):
        pareto(one)


def test_methods_of_both_doors_give_what_the_functions_give(confirmed, tmp_path) -> None:
    loaded = confirmed(ablated=True)
    door = tuner.load(str(tmp_path / "night"))
    for name in ("leaderboard", "winner", "effects", "noise", "progression", "time", "slots"):
        pd.testing.assert_frame_equal(getattr(loaded, name)(), getattr(door, name)())
    pd.testing.assert_frame_equal(loaded.progression("tokens"), door.progression(by="tokens"))
    for frames in ("trials", "confirmations", "reports"):
        pd.testing.assert_frame_equal(getattr(loaded, frames), getattr(door, frames))
    with pytest.raises(ValueError, match="has no front"):
        door.pareto()
