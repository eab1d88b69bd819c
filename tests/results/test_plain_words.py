"""Sums and words of the report that a reader takes up twice: means on fresh seeds, base values, fewer candidates."""

from __future__ import annotations

import pytest

from results import Store, load
from results.leads import lead_lines
from results.verdicts import verdict_lines
from terminal.short import short
from tests.results.conftest import KNOBS

CHANGE = {"optimizer.matrix_lr": 0.06}


@pytest.fixture
def fewer(tmp_path, make_trial):
    """A confirmation of the one candidate that there was, where two were asked for."""
    asked = {"space": "parameter_golf", "objective": "val_bpb", "confirm": "2x2", "base": {"extra": {"rate": 0.5}}}
    store = Store.create(tmp_path / "fewer", asked, KNOBS)
    rows = [make_trial(0, "completed", 1.9), make_trial(1, "completed", 1.8, CHANGE)]
    for n, values in enumerate(((1.9, 1.901), (1.5, 1.502))):
        for place, value in enumerate(values):
            columns = {"stage": "confirm", "arm": rows[n]["key"], "round": 0, "design": "1x2", "seed": 7 + place}

            rows.append(make_trial(10 + 2 * n + place, "completed", value, CHANGE if n else {}, **columns))
    for row in rows:
        store.write_trial(row)
    return store.folder


def test_fewer_candidates_than_asked_for_are_explained(fewer) -> None:
    assert "Asked for 2x2, but only 1 trial beside the base had completed: so 1x2." in verdict_lines(load(fewer))


def test_the_means_on_fresh_seeds_are_given(fewer) -> None:
    lines = verdict_lines(load(fewer))
    assert "Winner: trial 1, -0.3995 against the base (means on fresh seeds: 1.5010, the base 1.9005)." in lines
    won = load(fewer).winner().iloc[0]
    assert won["fresh_value"] == pytest.approx(1.501) and won["fresh_base"] == pytest.approx(1.9005)


def test_where_nothing_can_be_told_of_knobs_a_line_says_so_and_why(fewer) -> None:
    (said,) = (line for line in lead_lines(load(fewer)) if line.startswith("What matters"))
    assert "cannot tell it of any of 6 knobs: 2 of at least 8 trials can be compared." in said


@pytest.mark.parametrize(("value", "text"), [(1875.46, "1875"), (999.6, "1000"), (0.17720, "0.177"), (2e6, "2e+06")])
def test_thousands_are_written_in_full(value, text) -> None:
    assert short(value) == text
