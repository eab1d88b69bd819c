"""A campaign of Python after the current folder has changed, and one that is named by its file."""

from __future__ import annotations

from pathlib import Path

import pytest

import tuner
from results import report
from results.store import find
from tuner.python.campaign import Campaign


def test_a_campaign_is_found_after_the_current_folder_has_changed(tmp_path, monkeypatch, make_bench) -> None:
    monkeypatch.chdir(tmp_path)
    make_bench("runs/toy").search()
    campaign = tuner.load("runs/toy")
    shown, trials = repr(campaign), campaign.trials
    assert shown.startswith("<Campaign 'runs/toy': ")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert campaign.trials.equals(trials) and campaign.folder == tmp_path / "runs/toy"
    assert repr(campaign) == shown.replace("runs/toy", f"{tmp_path}/runs/toy", 1)
    assert tuner.load(campaign).folder == campaign.folder  # type: ignore[arg-type]


def test_a_campaign_outlives_the_current_folder(tmp_path, monkeypatch, make_bench) -> None:
    make_bench(tmp_path / "runs/toy").search()
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    campaign = Campaign(tmp_path / "runs/toy")
    gone.rmdir()
    assert repr(campaign).startswith(f"<Campaign '{tmp_path}/runs/toy': ")


@pytest.mark.parametrize("text", ["runs/toy/campaign.json", "./runs/toy/campaign.json"])
def test_the_file_of_a_campaign_names_it_everywhere(text: str, tmp_path, monkeypatch, make_bench, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    make_bench("runs/toy").search()
    assert tuner.load(text).name == tuner.load(Path(text)).name == "toy"
    assert report.main([text]) == 0
    monkeypatch.chdir("runs/toy")
    assert tuner.load("campaign.json").folder == tmp_path / "runs/toy"
    with pytest.raises(ValueError, match=r"trials/campaign\.json"):
        tuner.load("trials/campaign.json")
    assert find.find("trials/campaign.json") == Path("trials/campaign.json"), "a path that is no file stays one"
