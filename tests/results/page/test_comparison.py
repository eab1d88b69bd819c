"""The page of several campaigns, its data and where it is written."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made_up_campaign import make
from results import compare as compare_command
from results import load
from results.compare import main, place_beside
from results.page.comparison import comparison_data
from results.page.write import html_of_comparison
from results.questions.compare import compare_campaigns
from results.store import frames
from storage.location import location

RECORDED = Path(__file__).parents[3] / "results" / "recorded"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two campaigns on one ruler, which ask one knob in other ranges, and one that is evaluated otherwise."""
    runs = tmp_path_factory.mktemp("runs")
    night, day, other = (make(runs / name, 24, 5, seed) for seed, name in enumerate(("night", "day", "other")))
    _revise(day, lambda told: told["ranges"]["optimizer.embed_lr"].update(domain="0.005 .. 0.5 (log)"))
    _revise(other, lambda told: told.update(base={"evaluation": {"tokens": 65536}}))
    return night, day, other


def _revise(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    told = json.loads((folder / "campaign.json").read_text())
    change(told)
    (folder / "campaign.json").write_text(json.dumps(told))


def _data(*folders: Path) -> dict[str, Any]:
    found = [frames.load(folder) for folder in folders]
    data = comparison_data(compare_campaigns(found), found)
    json.dumps(data, allow_nan=False)
    return data


def test_the_sentence_says_who_is_ahead_and_what_the_noise_makes_of_it(folders: tuple[Path, ...]) -> None:
    data = _data(*folders[:2])
    said = data["verdict"]["sentence"]
    board = compare_campaigns([load(folder) for folder in folders[:2]]).leaderboard
    best, second = board.iloc[0], board[board["campaign"] != board["campaign"].iloc[0]].iloc[0]
    assert said.startswith("night and day share one ruler (val_loss, 1000 steps).")
    assert f"trial {best['trial']} of {best['campaign']}, val_loss {best['value']:.4f}" in said
    gap = second["value"] - best["value"]
    smallest = max(row["smallest"] for row in data["noise"])
    assert f"{gap:.4f} ({second['campaign']})" in said
    assert ("may be luck" in said) == (gap <= smallest)
    assert data["unlike"] == []


def test_campaigns_of_two_rulers_are_not_ranked_together_by_name_of_what_differs(folders: tuple[Path, ...]) -> None:
    data = _data(*folders)
    assert (
        "Not ranked together: night and day apart from other. They differ in evaluation.tokens."
        in (data["verdict"]["sentence"])
    )
    assert data["unlike"] == [["evaluation.tokens", "night", "none", "other", "65536"]]
    assert [ruler["campaigns"] for ruler in data["rulers"]] == [[0, 1], [2]]
    trials = data["trials"]
    for ruler in (0, 1):
        ranks = [rank for rank, its in zip(trials["rank"], trials["ruler"], strict=True) if its == ruler]
        ranks = [rank for rank in ranks if rank is not None]  # these made-up campaigns have a run in common
        assert min(ranks) == 1 and sorted(ranks) == list(range(1, len(ranks) + 1))


def test_winners_stand_with_their_interval_and_their_command(folders: tuple[Path, ...]) -> None:
    night = folders[0]
    results = frames.load(night)
    from results.questions.winner import winner

    key = str(winner(results)["key"].iloc[0])
    line = "python -m tuner.run --space made_up --set optimizer.matrix_lr=0.1"
    kept = {"arm": key, "minimal": False, "line": line}
    results = type(results)(
        {**results.campaign, "winner_command": kept}, results.rows, results.reports, "night", results.store
    )
    both = [results, frames.load(folders[1])]
    data = comparison_data(compare_campaigns(both), both)
    first, second = data["winners"]
    assert first["confirmed"] and first["low"] < first["difference"] < first["high"] < 0
    assert first["command"] == line and second["command"] is None


def test_ranges_stand_side_by_side_with_what_won(folders: tuple[Path, ...]) -> None:
    data = _data(*folders[:2])
    (differs,) = (knob for knob in data["knobs"] if not knob["same"])
    assert differs["path"] == "optimizer.embed_lr"
    assert differs["ends"] == [[0.001, 1.0, True], [0.005, 0.5, True]]
    assert differs["base"] == [0.01, 0.01]
    assert all(isinstance(value, float) for value in differs["winner"])


def test_each_trial_has_its_changes_from_the_base_of_its_own_campaign(folders: tuple[Path, ...]) -> None:
    data = _data(*folders[:2])
    start = 0
    for campaign, folder in enumerate(folders[:2]):
        trials = frames.load(folder).trials.set_index("number")
        own = data["changes"][campaign]
        for at, changes in enumerate(own["of"]):
            place = start + at
            assert data["trials"]["campaign"][place] == campaign
            written = json.loads(trials.loc[data["trials"]["number"][place], "overrides"])
            assert {own["paths"][path] for path, _ in changes} == set(written)
        start += len(own["of"])
    assert start == len(data["trials"]["number"])


def test_replays_that_are_kept_here_make_a_page() -> None:
    data = _data(RECORDED / "ngpt", RECORDED / "parameter_golf")
    assert data["winners"] == [None, None] and data["courses"] == [None, None]
    assert {"objective", "budget", "data"} <= {row[0] for row in data["unlike"]}
    assert any(data["trials"]["name"]) and any(data["trials"]["why"])


def test_a_campaign_without_trials_makes_a_page(store: Any, folders: tuple[Path, ...]) -> None:
    assert _data(folders[0], store.folder)["courses"][1]["best"] == []
    assert "Not ranked together" in _data(store.folder, folders[0])["verdict"]["sentence"]
    assert "none of their trials has completed" in _data(store.folder, store.folder)["verdict"]["sentence"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_page_lies_beside_the_first_campaign_and_is_named(folders: tuple[Path, ...], capsys: Any) -> None:
    where = folders[0].parent / "compare-night-day.html"
    assert main([str(folder) for folder in folders[:2]]) == 0
    said = capsys.readouterr().out
    assert said.startswith("campaign") and said.endswith(f"Page: {where}\n")
    html = where.read_text("utf-8")
    assert "http://" not in html and "https://" not in html and "url(" not in html and "<link" not in html
    assert re.search(r"<title>night / day</title>", html)


def test_the_page_can_be_elsewhere_or_nowhere(folders: tuple[Path, ...], tmp_path: Path, capsys: Any) -> None:
    names = [str(folder) for folder in folders[1:]]
    assert main([*names, "--html", str(tmp_path / "both.html")]) == 0 and (tmp_path / "both.html").is_file()
    assert main([*names, "--no-page"]) == 0 and "Page:" not in capsys.readouterr().out.splitlines()[-1]
    assert not (folders[0].parent / "compare-day-other.html").exists()


@pytest.mark.parametrize(("file", "why"), [("", "is a folder, not a file"), ("no/page.html", "there is no folder")])
def test_a_page_that_cannot_be_there_is_one_line(
    folders: tuple[Path, ...], tmp_path: Path, file: str, why: str, capsys: Any
) -> None:
    assert main([*map(str, folders), "--html", str(tmp_path / file)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and why in said.err and said.err.count("\n") == 1


def test_a_page_that_fails_on_the_way_is_one_line_after_the_text(
    folders: tuple[Path, ...], tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("storage.inside.write", full)
    assert main([*map(str, folders), "--html", str(tmp_path / "page.html")]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("campaign") and said.err.count("\n") == 1 and "not written" in said.err


@pytest.mark.parametrize("option", [["--html", "x.html"], ["--no-page"]])
def test_an_option_for_several_is_refused_for_one(option: list[str], capsys: Any) -> None:
    assert main(["--space", "ngpt", *option]) == 2
    assert f"{option[0]} is for several campaigns" in capsys.readouterr().err


def test_its_default_place_is_no_file_of_this_repository_and_no_bucket(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    kept = compare_command.KEPT / "ngpt"
    assert place_beside([kept, tmp_path / "a"]) == tmp_path / "compare-ngpt-a.html"
    assert place_beside([location("s3://bucket/runs/night"), tmp_path / "a"]) == tmp_path / "compare-night-a.html"


def test_its_name_is_a_files_name_whatever_the_campaigns_are_called(tmp_path: Path) -> None:
    hostile = [tmp_path / "<script>\n\u202e 'a'", tmp_path / ("long" * 50), tmp_path / "b"]
    name = place_beside(hostile).name
    assert re.fullmatch(r"compare-[A-Za-z0-9._-]{100}-[0-9a-f]{8}\.html", name)
    assert place_beside(hostile[:2]).name != name


def test_the_html_holds_its_data_whole(folders: tuple[Path, ...]) -> None:
    data = _data(*folders)
    html = html_of_comparison(data)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found and json.loads(found[1]) == data
