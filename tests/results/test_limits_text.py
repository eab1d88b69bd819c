"""A report of a search with limits: which they are, and each trial's own value of what they limit."""

from __future__ import annotations

import pytest

from results import Store, report
from results.page.data import page_data
from results.page.markdown import markdown
from results.page.write import html_of
from results.store import frames
from tests.results.conftest import KNOBS

LIMITS = {"constraints": ["parameters<=2000", "val_bpb<=1.6"], "objectives": ["val_bpb"]}


@pytest.fixture
def made(tmp_path, make_trial):
    """A campaign of trials with these ends, values and numbers of parameters."""

    def make(*trials: tuple[str, float, int]):
        about = {"space": "parameter_golf", "scale": "proxy", "trials": len(trials), **LIMITS}
        store = Store.create(tmp_path / "made", about, KNOBS)
        for number, (ended, value, parameters) in enumerate(trials):
            changes = {"optimizer.matrix_lr": 0.1 + number} if number else {}
            told = {"val_bpb": value, "parameters": parameters, "config": '{"type": "TrainConfig"}'}
            if ended == "infeasible":
                told["reason"] = "too much"
            store.write_trial(make_trial(number, ended, value, changes, **told))
        return store.folder

    return make


def said_of(folder, capsys) -> str:
    assert report.main([str(folder), "--no-page"]) == 0
    return str(capsys.readouterr().out)


def test_the_limit_and_the_limited_measure_are_in_text_markdown_and_page(made, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    folder = made(("completed", 1.5, 1500), ("completed", 1.4, 1800), ("infeasible", 1.3, 2500))
    line = "Limits that a trial must keep: parameters<=2000, val_bpb<=1.6; 1 trial beyond."
    out = said_of(folder, capsys)
    assert line in out and "parameters=1,800 " in out and "parameters=1,500 (the base config)" in out
    data = page_data(frames.load(folder), folder)
    assert data["limits"] == line and data["limited"] == [{"name": "parameters", "values": ["1,500", "1,800", "2,500"]}]
    page = html_of(data)
    assert "DATA.limits" in page and "...DATA.limited.map" in page
    table = markdown(data)
    assert "Limits that a trial must keep: parameters\\<=2000, val\\_bpb\\<=1.6" in table
    assert "| rank | trial | val\\_bpb | vs base | parameters |" in table
    assert "| 1 | 1 | 1.4000 | -0.1000 | 1,800 |" in table


def test_a_search_in_which_none_keeps_the_limits_shows_what_there_is(made, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    folder = made(("infeasible", 1.5, 2500), ("infeasible", 1.4, 2600))
    out = said_of(folder, capsys)
    rows = [line for line in out.splitlines() if line.strip().startswith("-")]
    assert len(rows) == 2 and "parameters=2,500" in rows[0] and "parameters=2,600" in rows[1]
    table = markdown(page_data(frames.load(folder), folder))
    assert "| - | 0 | " in table and "| - | 1 | " in table and "| 2,600 |" in table


def test_without_a_limit_nothing_is_said_of_one(made, capsys, monkeypatch) -> None:
    monkeypatch.setitem(LIMITS, "constraints", [])
    folder = made(("completed", 1.5, 1500), ("infeasible", 1.3, 2500))
    assert "Limit" not in said_of(folder, capsys)
    data = page_data(frames.load(folder), folder)
    assert data["limits"] == "" and data["limited"] == []
