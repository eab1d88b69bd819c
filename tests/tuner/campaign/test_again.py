"""The command that goes on, followed as it is printed: by the shell's rules, from the folder where it was printed."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path

import pytest

from storage.location import location
from tuner import run, start
from tuner.campaign.again import again, go_on
from tuner.cli import options

FOLDERS = (
    "results/runs/night",
    "runs/night",
    "./night",
    "../elsewhere/night",
    "/my shared/$HOME `runs`/it's/night",
    "runs/my night",  # a copy that somebody has named
    "my night",
    "-night",
    ".night",
    "s3://bucket/runs/night",
    "s3://bucket/a(b)/night",
)


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(start.files, "check_usable", lambda place: None)
    monkeypatch.setattr(start, "check_campaign", lambda place: None)  # nothing is in the bucket
    return folder


def followed(line: str):
    """Where the campaign is that the printed command goes on with."""
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "tuner.run"]
    given = options.parse(words[3:])
    return start.usable_campaign(given.start.results, given.campaign)


@pytest.mark.parametrize("text", FOLDERS)
def test_the_command_that_goes_on_finds_its_own_campaign_again(text, tmp_path) -> None:
    folder = location(text.replace("/my shared", f"{tmp_path}/my shared"))
    if isinstance(folder, Path):
        folder.mkdir(parents=True)
        (folder / "campaign.json").write_text("{}")
    found = followed(again(folder))
    assert found == folder if not isinstance(folder, Path) else found.samefile(folder)


def test_only_a_folder_of_campaigns_that_is_not_the_usual_one_is_named() -> None:
    assert again(Path("results/runs/night")) == "python -m tuner.run --resume night"
    assert again(Path("/my shared/runs/night")) == "python -m tuner.run --resume night --results '/my shared/runs'"


def test_a_folder_that_was_moved_away_is_not_named_as_if_it_were_there(workplace) -> None:
    gone = go_on(Path("runs/night"))
    assert gone == "runs/night is no longer there. Go on where it is now: python -m tuner.run --resume PATH"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.ENOENT, errno.EIO])
@pytest.mark.parametrize("results", ["results/runs", "my runs"])
def test_whatever_storage_does_to_a_campaign_its_last_line_goes_on_with_it(
    make_bench, monkeypatch, capsys, number, results
) -> None:
    bench = make_bench()
    bench.folder = Path(results) / "night"
    bench.store()
    os.makedirs(f"{results}/another")

    def fails(*arguments, **options) -> None:
        raise OSError(number, os.strerror(number), "some/file")

    monkeypatch.setattr(start.Store, "open", fails)
    assert run.main(["--resume", "night", "--results", results]) == 1
    error = capsys.readouterr().err
    assert os.strerror(number) in error or "the disk is full" in error
    assert error.count("\n") == 1 and followed(error.partition("Go on with: ")[2]) == bench.folder
