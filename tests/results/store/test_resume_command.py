"""Commands that are read later or elsewhere name a campaign by what finds it there."""

from __future__ import annotations

import os
from pathlib import Path

from results import Store, load
from results.page.data import page_data
from results.store.resume_command import from_anywhere
from storage.location import Url


def test_in_the_usual_folder_of_campaigns_the_name_alone_finds_it(tmp_path, monkeypatch) -> None:
    (tmp_path / "results" / "runs" / "night").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for place in (Path("results/runs/night"), tmp_path / "results/runs/night", Path("results/../results/runs/night")):
        assert from_anywhere(place) == Path("results/runs/night")


def test_anywhere_else_it_is_the_whole_path_or_the_url(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_anywhere(Path("runs/night")) == tmp_path / "runs" / "night"
    assert from_anywhere(Path("../night")) == tmp_path.parent / "night"
    assert from_anywhere(Url("s3://bucket/runs/night")) == Url("s3://bucket/runs/night")


def test_the_commands_of_a_page_are_the_same_wherever_the_report_ran(tmp_path, monkeypatch, make_trial) -> None:
    store = Store.create(tmp_path / "here" / "night", {"space": "parameter_golf"}, {})
    for n in range(3):
        row = make_trial(n, "completed", 2.0 - n, is_base=not n)
        store.write_trial({name: cell for name, cell in row.items() if "." not in name and name != "schedule"})
    found = []
    for folder, text in (
        (tmp_path, "here/night"),
        (tmp_path / "here" / "night", "."),
        (tmp_path / "here", "../here/night"),
    ):
        monkeypatch.chdir(folder)
        results = load(text)
        data = page_data(results, results.store.folder)
        found.append([step["command"] for step in data["next"]] + [line for _, line in data["commands"]])
    assert found[0] == found[1] == found[2]
    assert f"--resume night --results {tmp_path / 'here'} --confirm" in found[0][0]
    assert f"python -m results.report {tmp_path / 'here' / 'night'}" in found[0]


def test_the_commands_of_a_page_in_the_usual_folder_name_no_folder(tmp_path, monkeypatch, make_trial) -> None:
    monkeypatch.chdir(tmp_path)
    os.makedirs("results/runs")
    store = Store.create(Path("results/runs/night"), {"space": "parameter_golf"}, {})
    for n in range(3):
        row = make_trial(n, "completed", 2.0 - n, is_base=not n)
        store.write_trial({name: cell for name, cell in row.items() if "." not in name and name != "schedule"})
    for text in ("night", str(tmp_path / "results/runs/night")):
        results = load(text)
        data = page_data(results, results.store.folder)
        commands = [step["command"] for step in data["next"]] + [line for _, line in data["commands"]]
        assert commands[0].startswith("python -m tuner.run --resume night --confirm")
        assert "python -m results.report night" in commands
        assert not any("--results" in line for line in commands)
