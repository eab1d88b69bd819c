from __future__ import annotations

import numpy as np
import pytest

from results.questions.edges import edges
from tests.results.questions.made_up_search import KNOBS, RANGES, place, search, with_noise


def ask(written, rows, ranges=RANGES, **campaign):
    return written(rows, knobs=KNOBS, ranges=ranges, **campaign).edges()


def test_good_values_at_the_end_of_a_range_are_named_with_the_change_that_widens_it(make_trial, written):
    (edge,) = ask(written, search(make_trial, lambda row: 3 - place(row), trials=60)).to_dict("records")
    assert (edge["knob"], edge["end"], edge["bound"]) == ("rate", "high", 0.1)
    assert edge["suggestion"] == "widen rate above 0.1"
    assert edge["change"] == "Knob('rate', LogUniform(0.001, 1.0), ...) in a copy of the space"
    assert edge["good_at_edge"] == edge["at_edge"] and edge["good"] == 15 and edge["chance"] < 0.05


def test_a_whole_number_is_at_its_edge_at_the_last_one(make_trial, written):
    (edge,) = ask(written, search(make_trial, lambda row: 3 + row["size"], trials=60)).to_dict("records")
    assert (edge["knob"], edge["end"], edge["suggestion"]) == ("size", "low", "widen size below 1")
    assert edge["change"] == "Knob('size', Integer(0, 8), ...) in a copy of the space"


def test_what_is_best_at_zero_is_left_out_and_not_widened(make_trial, written):
    (edge,) = ask(written, search(make_trial, lambda row: row["kind.depth"] or 0.3, trials=100)).to_dict("records")
    assert (edge["knob"], edge["end"], edge["change"]) == ("kind.depth", "low", "--set kind.depth=0")
    assert edge["trials"] < 100  # those in which it is active


def test_good_values_inside_a_range_are_at_no_edge(make_trial, written):
    assert ask(written, search(make_trial, lambda row: (place(row) - 0.5) ** 2, trials=60)).empty


def test_where_nothing_matters_one_campaign_in_twenty_names_an_edge(make_trial, written):
    campaign = written(search(make_trial, lambda row: 2.0, trials=40), knobs=KNOBS, ranges=RANGES)
    assert sum(not edges(other).empty for other in with_noise(campaign, 40)) <= 5


def test_of_an_own_train_function_the_change_is_one_of_its_space(make_trial, written):
    own = {"name": "mine", "fingerprint": "x", "source": "", "maximise": False, "domains": {}}
    rows = search(make_trial, lambda row: 3 - place(row), trials=60)
    assert ask(written, rows, own_train=own)["change"].tolist() == ["'rate': '0.001..1.0 log'"]


@pytest.mark.parametrize("trials", [0, 1, 7])
def test_few_trials_have_no_edges(make_trial, written, trials):
    rows = search(make_trial, lambda row: 3 - place(row), trials=trials) if trials else []
    assert ask(written, rows).empty


def test_failures_a_replay_and_unknown_ranges_have_no_edges(make_trial, written):
    rows = search(make_trial, lambda row: 3 - place(row), trials=60)
    assert ask(written, rows, {}, name="unknown").empty
    assert ask(written, rows, name="again", replay={"selections": ["all"], "reading": "as_run", "seeds": 1}).empty
    assert ask(written, [{**row, "status": "diverged", "value": None} for row in rows]).empty


def test_a_value_outside_its_range_is_at_no_edge(make_trial, written):
    rows = search(make_trial, lambda row: 3 - place(row), trials=60)
    rows[0]["rate"] = 10.0  # the base of a space may lie outside
    found = ask(written, rows)
    assert found["trials"].tolist() == [59] and np.isfinite(found["chance"]).all()
