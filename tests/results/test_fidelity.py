from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from results import Store
from results.fidelity import curves, holds_best, judged_parts, main, top_lost, within_groups
from results.store import frames


@pytest.fixture
def judged(tmp_path, make_trial):
    """A campaign of 8 completed trials whose values at half of the budget are in order, and one that was stopped."""
    store = Store.create(tmp_path / "judged", {"space": "parameter_golf"}, {})
    for number in range(9):
        row = make_trial(number, "completed" if number < 8 else "stopped", 1.0 + number / 10, budget=40.0)
        kind = "Cosine" if number % 2 else "Tidal"
        row = {k: v for k, v in row.items() if "." not in k and k != "schedule"}
        store.write_trial({**row, "config": json.dumps({"schedule": {"type": kind}})})
        for milestone, value in ((10.0, 3.0 - number / 10), (20.0, 2.0 + number / 10), (40.0, 1.0 + number / 10)):
            report = {"key": row["key"], "attempt": 1, "step": int(milestone), "milestone": milestone, "val_bpb": value}
            store.append_report({**report, "extra_spent": milestone / 2})
    return store.folder


def test_curves_are_the_milestones_of_completed_trials_before_their_end(judged) -> None:
    found = curves(frames.load(judged))
    assert len(found) == 16 and set(found["part"]) == {0.25, 0.5} and set(found["group"]) == {"Cosine", "Tidal"}
    first = found[(found["part"] == 0.5) & (found["final"] == 1.3)].iloc[0]
    assert (first["value"], first["cost"], first["group"]) == (2.3, 0.25, "Cosine")


def test_a_rung_says_how_it_orders_trials(judged) -> None:
    early, late = judged_parts(curves(frames.load(judged)))
    assert (early.part, late.part) == (0.25, 0.5)
    assert [r.value for r in (early.overall, early.within)] == pytest.approx([-1, -1])
    assert [r.value for r in (late.overall, late.within)] == pytest.approx([1, 1])
    assert (late.holds_best, late.trials, late.cost) == (1.0, 8, 0.25)
    assert early.holds_best < 0.1 and early.top_lost > late.top_lost


def test_inside_a_schedule_the_difference_between_schedules_does_not_count() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    rows = pd.DataFrame(
        {"group": ["a"] * 4 + ["b"] * 4, "value": values + [v + 10 for v in values], "final": values[::-1] * 2}
    )
    assert within_groups(rows).value == pytest.approx(-1.0)
    assert within_groups(rows.assign(group=list("abcdefgh"))) is None


def test_a_rung_that_says_nothing_holds_the_best_as_often_as_chance_and_a_perfect_one_always() -> None:
    draw = np.random.default_rng(1)
    finals = draw.random(60)
    assert holds_best(finals, finals) == 1.0
    chance = np.mean([holds_best(draw.random(60), finals, draws=50, seed=n) for n in range(40)])
    assert chance == pytest.approx(1 / 2, abs=0.15)


def test_asha_keeps_the_top_three_at_a_perfect_rung_and_loses_them_at_a_reversed_one() -> None:
    finals = np.arange(30.0)
    assert top_lost(finals, finals) < 0.5  # one that arrives among better ones only
    assert top_lost(-finals, finals) > 2.5


def test_a_part_that_few_trials_share_is_counted_and_shown_on_demand(judged, make_trial, capsys) -> None:
    store = Store.open(judged)
    for number in range(20, 24):  # of another budget, with a rung of its own
        row = {k: v for k, v in make_trial(number, "completed", 2.0, budget=30.0).items() if "." not in k}
        del row["schedule"]
        store.write_trial({**row, "config": json.dumps({"schedule": {"type": "Tidal"}})})
        store.append_report({"key": row["key"], "attempt": 1, "step": 21, "milestone": 21.0, "val_bpb": float(number)})
    assert main([str(judged)]) == 0
    out = capsys.readouterr().out
    assert "0.7 " not in out and "parts with values of at most 4 trials, left out: 1" in out
    assert main([str(judged), "--every-part"]) == 0
    out = capsys.readouterr().out
    assert "0.7 " in out and "left out" not in out


def test_the_table_is_printed_for_each_folder_and_a_missing_one_is_one_line(judged, campaign, tmp_path, capsys) -> None:
    assert main([str(judged), str(campaign)]) == 0
    out = capsys.readouterr().out
    assert "judged: 8 completed trials" in out and "+1.00" in out
    assert "made-up: under 4 completed trials have a value on the way" in out
    assert main([str(tmp_path / "nowhere")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
