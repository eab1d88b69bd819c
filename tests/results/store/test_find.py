"""A campaign by its path or by its name, in every command that takes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from results import compact, compare, fidelity, report
from results.store import frames
from results.store.campaign_folder import Store
from results.store.find import RUNS, find
from storage.location import location
from tuner import export, run, sample, status
from tuner.cli import options
from tuner.trackers import __main__ as trackers


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def campaign(folder: Path) -> Path:
    Store.create(folder, {"space": "toy"}, {})
    return folder


def test_a_path_means_that_place_alone(here) -> None:
    campaign(here / "runs" / "a4")
    runs = Path("runs")
    for text in ("/mnt/typo/a4", "./a4", "typo/a4", "a4/", "../a4", "~/a4", "s3://typo/a4"):
        assert find(text, runs) == location(text), text


def test_a_name_is_looked_for_among_all_campaigns_and_then_here(here) -> None:
    runs = Path("runs")
    campaign(runs / "a"), campaign(Path("b"))
    assert find("a", runs) == runs / "a" and find("b", runs) == Path("b")
    with pytest.raises(
        ValueError, match=r"^aa is no campaign: neither runs/aa nor \./aa holds .*did you mean 'runs/a'\?"
    ):
        find("aa", runs)


def test_a_name_in_the_usual_folder_is_hinted_by_itself_and_elsewhere_by_its_path(here) -> None:
    campaign(RUNS / "night"), campaign(Path("elsewhere/night"))
    with pytest.raises(ValueError, match=r"did you mean 'night'\?$"):
        find("nihgt")
    with pytest.raises(ValueError, match=r"did you mean 'elsewhere/night'\?$"):
        find("nihgt", Path("elsewhere"))


def test_a_name_of_two_campaigns_is_refused(here) -> None:
    campaign(Path("runs/a")), campaign(Path("a"))
    with pytest.raises(ValueError, match=r"say runs/a or \./a"):
        find("a", Path("runs"))
    assert find("a", here) == here / "a"  # one and the same


GOLF = ("--space", "parameter_golf", "--scale", "proxy", "--no-audit")
COMMANDS = {
    "report": lambda text: report.main([text]),
    "compare": lambda text: compare.main([text]),
    "compact": lambda text: compact.main([text, "target"]),
    "fidelity": lambda text: fidelity.main([text]),
    "status": lambda text: status.main([text]),
    "export": lambda text: export.main([text]),
    "sample": lambda text: sample.main([text]),
    "trackers": lambda text: trackers.main([text, "--log", "tensorboard"]),
    "resume": lambda text: run.main(["--resume", text]),
    "reuse": lambda text: run.main([*GOLF, "--reuse", text]),
    "warm start": lambda text: run.main([*GOLF, "--warm-start", "recorded", text]),
}


def said(command, text: str, capsys) -> str:
    try:
        code = command(text)
    except SystemExit as end:
        code = end.code
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1, error
    return error


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_a_campaign_by_the_same_rule(here, capsys, name) -> None:
    campaign(Path("results/runs/night")), campaign(Path("night"))
    assert "say results/runs/night or ./night" in said(COMMANDS[name], "night", capsys)
    assert "did you mean 'night'" in said(COMMANDS[name], "nigth", capsys)
    assert "elsewhere/night" in said(COMMANDS[name], "elsewhere/night", capsys)
    assert "there is no user" in said(COMMANDS[name], "~nobody-of-that-name/night", capsys)
    assert "ftp://" in said(COMMANDS[name], "ftp://host/night", capsys)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_that_a_path_works_and_where_names_are_looked_up(here, capsys, name) -> None:
    error = said(COMMANDS[name], "night", capsys)
    assert "(a path is taken as it is)" in error and "--results says in which folder names are looked up" in error


IN_A_FOLDER = {
    "report": lambda *more: report.main([*more]),
    "compare": lambda *more: compare.main([*more]),
    "compact": lambda *more: compact.main([*more, "target"]),
    "fidelity": lambda *more: fidelity.main([*more]),
    "status": lambda *more: status.main([*more]),
    "export": lambda *more: export.main([*more]),
    "sample": lambda *more: sample.main([*more]),
    "trackers": lambda *more: trackers.main([*more, "--log", "tensorboard"]),
}


@pytest.mark.parametrize("name", IN_A_FOLDER)
def test_every_program_looks_names_up_in_the_folder_that_results_says(here, capsys, name) -> None:
    campaign(Path("elsewhere/night"))
    ask = IN_A_FOLDER[name]
    assert "did you mean 'elsewhere/night'" in said(lambda _: ask("nihgt", "--results", "elsewhere"), "", capsys)
    assert "'./night' is a path: leave it out" in said(lambda _: ask("./night", "--results", "elsewhere"), "", capsys)


def test_a_program_finds_the_campaign_in_the_folder_that_results_says(here, capsys) -> None:
    campaign(Path("elsewhere/night"))
    assert status.main(["night", "--results", "elsewhere"]) == 0
    assert "campaign: night, space toy" in capsys.readouterr().out


def test_a_campaign_is_named_once_by_name_path_or_link(here, capsys) -> None:
    campaign(Path("results/runs/night")), campaign(Path("results/runs/day"))
    Path("link").symlink_to("results/runs/night")
    for again in ("night", "results/runs/night", "./link"):
        error = said(lambda text: compare.main(["night", "day", text]), again, capsys)
        assert f"{again!r} is given twice" in error and ("also as 'night'" in error) is (again != "night")
    assert "is given twice" in said(lambda text: fidelity.main(["night", text]), "night", capsys)


def test_results_is_for_a_name(here, capsys) -> None:
    error = said(lambda _: compare.main(["--space", "parameter_golf", "--results", "elsewhere"]), "", capsys)
    assert "not for the replay that is kept here" in error


def test_a_campaign_is_loaded_by_its_name(here) -> None:
    campaign(Path("results/runs/night"))
    assert frames.load("night").campaign["space"] == frames.load("results/runs/night").campaign["space"] == "toy"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--results", "s3:/bucket/x"],
        ["--results", ""],
        ["--results", "memory://x"],
        ["--data", "~nobody-of-that-name/texts"],
        ["--data", "s3://bucket/texts"],
        ["--set", "data.source=file://host/texts"],
    ],
    ids=" ".join,
)
def test_an_option_that_names_no_place_is_refused_and_makes_nothing(here, capsys, arguments, monkeypatch) -> None:
    monkeypatch.delitem(__import__("storage.location", fromlist=["KINDS"]).KINDS, "memory")
    said(lambda _: run.main(["--space", "parameter_golf", "--dry-run", *arguments]), "", capsys)
    assert list(here.iterdir()) == []


def test_a_home_is_expanded_whatever_stands_before_it(here, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    (here / "texts").mkdir()
    given = options.parse(["--space", "parameter_golf", "--results=~/runs", "--data=~/texts"])
    assert given.start.results == here / "runs" and given.spec.overrides == {"data.source": str(here / "texts")}
