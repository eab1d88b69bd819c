from __future__ import annotations

import numpy as np
import pytest

from results.questions.importance import importance
from tests.results.questions.made_up_search import KNOBS, RANGES, SPACE, place, search, with_noise


def ask(written, rows, ranges=RANGES, **campaign):
    return written(rows, knobs=KNOBS, ranges=ranges, **campaign).importance().set_index("knob")


def test_the_knob_that_makes_the_differences_comes_first_and_can_be_told(make_trial, written):
    found = ask(written, search(make_trial, lambda row: 2 + place(row)))
    assert found.index[0] == "rate" and found.loc["rate", "can_tell"]
    assert found.loc["rate", "importance"] > 0.8 and found.loc["rate", "low"] > 0.5
    assert not found["can_tell"].drop("rate").any()
    assert (found["low"] <= found["importance"]).all() and (found["importance"] <= found["high"]).all()


def test_shares_and_what_is_left_add_up_to_one(make_trial, written):
    rows = search(make_trial, lambda row: 2 + place(row), noise=0.3)
    found = written(rows, knobs=KNOBS, ranges=RANGES).importance()
    assert found["importance"].sum() + found.attrs["unexplained"] == pytest.approx(1.0)


def test_two_knobs_that_act_only_together_share_what_they_make(make_trial, written):
    rows = search(make_trial, lambda row: 2 + (place(row) - 0.5) * (row["size"] - 4.5), trials=100)
    found = ask(written, rows)
    assert set(found.index[:2]) == {"rate", "size"}
    assert found["importance"].iloc[:2].min() > 0.3 > 0.1 > found["importance"].iloc[2:].max()


def test_noise_alone_is_rarely_called_a_knob(make_trial, written):
    campaign = written(search(make_trial, lambda row: 2.0), knobs=KNOBS, ranges=RANGES)
    assert sum(importance(other)["can_tell"].any() for other in with_noise(campaign, 10)) <= 1


def test_a_conditional_knob_is_judged_where_it_is_active(make_trial, written):
    rows = search(make_trial, lambda row: 2 + (0.5 if row["kind.depth"] is None else row["kind.depth"]), trials=60)
    found = ask(written, rows)
    active = sum(row["kind"] == "deep" for row in rows)
    assert found.loc["kind.depth", "trials"] == active and found.loc["kind.depth", "condition"] == "kind=deep"
    assert found.index[0] == "kind.depth" and found.loc["kind.depth", "can_tell"]


def test_an_option_that_is_null_is_an_option(make_trial, written):
    rows = search(make_trial, lambda row: 2.0 + (row["clip"] is None), trials=40)
    found = ask(written, rows)
    assert found.loc["clip", "trials"] == 40 and found.index[0] == "clip" and found.loc["clip", "can_tell"]


def test_a_campaign_of_an_earlier_version_says_its_domains_in_words_only(make_trial, written):
    rows = search(make_trial, lambda row: 2 + place(row))
    old = {path: {"domain": said["domain"], "why": "x", "when": said["when"]} for path, said in RANGES.items()}
    new, then = ask(written, rows), ask(written, rows, old, name="old")
    numbers = ["importance", "low", "high", "trials"]
    assert then.loc["rate", numbers].astype(float).tolist() == pytest.approx(
        new.loc["rate", numbers].astype(float).tolist(), abs=0.05
    )  # draws, of options in another order
    assert then["scale"].to_dict() == new["scale"].to_dict()


def test_without_any_domain_a_number_goes_by_its_rank(make_trial, written):
    found = ask(written, search(make_trial, lambda row: 2 + place(row)), {})
    assert found.loc["rate", "scale"] == "unknown" and found.loc["rate", "can_tell"]


def test_the_worst_trials_do_not_outweigh_all_others(make_trial, written):
    rows = search(make_trial, lambda row: 2 + place(row), trials=40)
    for row in rows[3:7]:
        row.update(status="diverged", value=None, last_value=None)
    found = written(rows, knobs=KNOBS, ranges=RANGES).importance()
    assert found["knob"][0] == "rate" and found.attrs["over_the_fence"] == 4


@pytest.mark.parametrize("trials", [0, 1, 7])
def test_few_trials_say_nothing_and_that_is_said(make_trial, written, trials):
    found = ask(written, search(make_trial, lambda row: 2.0, trials=trials) if trials else [])
    assert found["importance"].isna().all() and not found["can_tell"].any()
    assert (found["reason"] == f"{trials} of at least 8 trials can be compared").all() and len(found) == len(
        SPACE["knobs"]
    )


def test_failures_only_say_nothing(make_trial, written):
    rows = [{**row, "status": "diverged", "value": None} for row in search(make_trial, lambda row: 2.0, trials=12)]
    found = ask(written, rows)
    assert found["importance"].isna().all() and (found["reason"] == "0 of at least 5 trials have a value").all()


def test_values_that_are_all_the_same_are_no_finding(make_trial, written):
    found = ask(written, search(make_trial, lambda row: 2.0, noise=0.0))
    assert not found["can_tell"].any() and np.isfinite(found["importance"]).all()


def test_a_replay_has_no_knobs(make_trial, written):
    replay = {"selections": ["all"], "reading": "as_run", "seeds": 1}
    rows = search(make_trial, lambda row: 2 + place(row))
    assert ask(written, rows, replay=replay).empty


def test_the_same_rows_give_the_same_answer(make_trial, written):
    campaign = written(search(make_trial, lambda row: 2 + place(row), noise=0.5), knobs=KNOBS, ranges=RANGES)
    assert campaign.importance().equals(campaign.importance())


def test_a_space_of_one_knob_has_no_products_to_share(make_trial, written):
    rows = search(make_trial, lambda row: 2 + place(row))
    for row in rows:
        for other in ("size", "kind", "kind.depth", "clip"):
            del row[other]
    found = written(rows, knobs={"rate": "float64"}, ranges={"rate": RANGES["rate"]}).importance()
    assert found["knob"].tolist() == ["rate"] and found["can_tell"].all() and found["importance"][0] > 0.8


def test_more_products_than_can_be_fitted_are_left_out(make_trial, written, monkeypatch):
    monkeypatch.setattr("results.questions.components.MOST_PRODUCTS", 3)
    found = ask(written, search(make_trial, lambda row: 2 + place(row)))
    assert found.index[0] == "rate" and found.loc["rate", "can_tell"]
