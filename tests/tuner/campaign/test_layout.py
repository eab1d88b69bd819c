"""Every name that a campaign uses for a file or a folder, with the other one in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ray

from results import Store, report
from tests.test_links import KEY, RECORD, TRIAL, seen
from tuner import run, status
from tuner.campaign import layout

FILES = (
    f"trials/{KEY}.parquet", "trials/0-empty.parquet", f"reports/{KEY}.parquet", f"checkpoints/{KEY}/attempt.json",
    f"curves/{KEY}.parquet", "curves/0-empty.parquet",
    f"checkpoints/{KEY}/a1-1.safetensors",
    f"weights/{KEY}/a1.safetensors", f"weights/{KEY}/config.json",
    f"errors/{KEY}.txt", "errors/notes.txt", f"stalls/{KEY}.a1.txt",
    ".stop", ".lock", ".driver.json", "optuna.journal", "optuna.journal.before", "campaign.json",
)  # fmt: skip
FOLDERS = (
    "trials",
    "reports",
    "curves",
    "checkpoints",
    f"checkpoints/{KEY}",
    "weights",
    f"weights/{KEY}",
    "errors",
    "stalls",
    ".driver-claims",
)


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def no_ray(**options: Any) -> None:
        raise AssertionError("Ray must not start")

    monkeypatch.setattr(ray, "init", no_ray)
    folder = tmp_path / "runs" / "there"
    Store.create(folder, RECORD, {}).write_trial(TRIAL)
    return folder


def moved_away(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(place.with_name(f".was-{place.name}"))


@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_a_resume_refuses_the_other_kind_at_once_and_changes_nothing(name, campaign, capsys) -> None:
    place = campaign / name
    moved_away(place)
    if name in FILES:
        (place / "inner").mkdir(parents=True)
    else:
        place.write_text("somebody's")
    before = seen(campaign)
    assert run.main(["--resume", str(campaign)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and place.name in said and "Go on with" not in said, said
    assert seen(campaign) == before


@pytest.mark.parametrize("name", ["notes", "notes/a.parquet", "trials/notes", "checkpoints/mine", "errors/old"])
@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_other_names_are_their_owners(name, make, campaign) -> None:
    (campaign / name).parent.mkdir(parents=True, exist_ok=True)
    make(campaign / name)
    layout.check(campaign)


@pytest.mark.parametrize("dataset", ["trials", "reports", "curves"])
def test_readers_do_not_take_what_is_no_folder_for_an_empty_one(dataset, campaign, capsys) -> None:
    moved_away(campaign / dataset)
    for make in (lambda place: place.symlink_to("nowhere"), lambda place: place.symlink_to("/dev/null"), Path.touch):
        make(campaign / dataset)
        for command in (report.main, status.main) if dataset != "curves" else (report.main,):
            assert command([str(campaign)]) == 2
            said = capsys.readouterr().err
            assert said.count("\n") == 1 and "but must be a folder" in said
        (campaign / dataset).unlink()
