"""The report leads on to what matters and what next, in a few lines."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.made_up_campaign import make
from results import load
from results.leads import lead_lines
from results.report import main
from results.verdicts import plain_rows_of


def test_the_report_says_what_matters_and_what_next(tmp_path, capsys) -> None:
    folder = make(tmp_path / "night", 60, points=5, seed=3)
    results = load(folder)
    assert main([str(folder), "--no-page"]) == 0
    said = capsys.readouterr().out
    told = results.importance()[lambda table: table["can_tell"]]
    steps = results.next_steps()
    assert f"What matters: these trials can tell it of {len(told)} of 16 knobs: {told['knob'].iloc[0]} " in said
    first = steps.iloc[0]
    assert f"What next: Take apart ({first['takes']}): {first['why']}\n  {first['command']}\n" in said
    assert f"or: more trials ({steps['takes'].iloc[-1]})" in said
    assert said.index("Winner: trial") < said.index("What matters") < said.index("What next") < said.index("Files: ")


def test_where_nothing_can_be_told_the_largest_are_said_to_be_unsure(tmp_path) -> None:
    results = load(make(tmp_path / "night", 10, points=5))
    assert not results.importance()["can_tell"].any()
    assert lead_lines(results)[0].startswith("What matters: these trials cannot tell yet. The largest parts of the ")


def test_a_replay_and_an_empty_campaign_lead_on_to_nothing_false(store) -> None:
    assert lead_lines(load("results/recorded/ngpt")) == []
    assert [line for line in lead_lines(load(store.folder)) if line.startswith("What matters")] == []


def test_importance_is_worked_out_once_a_reading_and_handed_out_as_a_copy(tmp_path, monkeypatch) -> None:
    from results.questions import importance

    results = load(make(tmp_path / "night", 24, points=5))
    first = results.importance()
    first["knob"] = "changed"
    monkeypatch.setattr(importance, "_importance", lambda results: 1 / 0)
    again = results.importance()
    assert "changed" not in again["knob"].tolist() and "unexplained" in again.attrs


def test_what_was_worked_out_of_other_rows_or_another_description_is_not_handed_on(tmp_path) -> None:
    results = load(make(tmp_path / "night", 24, points=5))
    fewer = replace(results, rows=results.rows.head(12))
    assert results.worked_out is fewer.worked_out
    for asked in (results, fewer, results):
        assert asked.importance()["trials"].max() == len(asked.trials)
        assert len(plain_rows_of(asked)) == len(asked.rows) == len(asked.time())
    longer = replace(results, campaign={**results.campaign, "trials": 500})
    steps = [asked.next_steps()["step"].tolist() for asked in (results, longer)]
    assert "finish" not in steps[0] and "finish" in steps[1]
