"""``--log`` from the command line and from Python: the tracker gets the campaign, and campaign.json knows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import ray

import tuner
from tests.small_campaign import SET_SMALL, SMALL, play_in_place_of_ray, work_in
from tests.tuner.trackers.test_outbox import LONG, WORKING
from tuner.run import main
from tuner.trackers import logging_to as door

GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--results", "runs", "--no-audit", "--no-confirm", *SET_SMALL]


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch, play) -> Path:
    """A tracker called trackio that keeps what it gets in a file, and campaigns without Ray."""
    work_in(tmp_path, monkeypatch)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    play_in_place_of_ray(monkeypatch, play)
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "trackio.py").write_text(WORKING)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setenv("KEPT", str(tmp_path / "kept"))
    monkeypatch.setenv("WANDB_API_KEY", "f00dfeedf00dfeed")
    monkeypatch.setattr(door, "UNANSWERED_SECONDS", LONG)
    return tmp_path / "kept"


def names(kept: Path) -> set[str]:
    return {line.split('"')[1] for line in kept.read_text().splitlines()}


def test_the_command_writes_a_campaign_and_a_resume_sends_the_whole_of_one_that_has_ended(kept, capfd) -> None:
    command = [*GOLF, "--data", "text", "--trials", "2", "--name", "night"]
    assert main(command) == 0 and not kept.exists(), "without --log nothing is sent"
    before = (Path("runs") / "night" / "campaign.json").read_text()
    assert main(["--resume", "night", "--results", "runs", "--log", "trackio"]) == 0
    said = capfd.readouterr()
    assert "log: trackio (project tuner)" in said.out and "nothing left to do" in said.out and said.err == ""
    assert names(kept) == {"night", "night/trial 0", "night/trial 1"}
    assert (Path("runs") / "night" / "campaign.json").read_text() == before
    kept.unlink()
    assert main([*command[:-1], "logged", "--log", "trackio:mine"]) == 0
    assert names(kept) == {"logged", "logged/trial 0", "logged/trial 1"}
    record = (Path("runs") / "logged" / "campaign.json").read_text()
    assert "trackio" not in record and "f00dfeed" not in record + kept.read_text()


def test_a_plan_says_what_would_be_written_where_and_writes_nothing(kept, capfd) -> None:
    assert main([*GOLF, "--data", "text", "--dry-run", "--log", "trackio:mine"]) == 0
    assert "log: trackio (project mine)\n" in capfd.readouterr().out
    assert not kept.exists() and not Path("runs").exists()


def test_python_takes_a_list_or_one_name(kept) -> None:
    found = tuner.search(
        "parameter_golf", scale="proxy", overrides=SMALL, data="text", trials=2, confirm=False, audit=False,
        results="runs", name="night", display=False, log=["trackio"],
    )  # fmt: skip
    assert len(found.trials) == 2 and names(kept) == {"night", "night/trial 0", "night/trial 1"}
    kept.unlink()
    found.resume(trials=3, log="trackio", display=False)
    assert "night/trial 2" in names(kept)
    assert all("log" not in json.loads(text.read_text()) for text in Path("runs").rglob("campaign.json"))
