"""``--log``: which names there are, what may follow them, and what is said of a package that is not there."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from storage.location import location
from tuner import run
from tuner.cli.options import command
from tuner.python.arguments import options_given
from tuner.trackers import catalogue, logging_to
from tuner.trackers.catalogue import TRACKERS, LogTo, is_installed, log_to

ROOT = Path(__file__).parents[3]


def said(capsys, *arguments: str) -> str:
    try:
        code = run.main(["--space", "parameter_golf", *arguments])
    except SystemExit as ended:
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1, error
    return str(error)


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("wandbb", "'wandbb' is no tracker: did you mean 'wandb'?"),
        ("aim", "'aim' is no tracker: valid names: mlflow, tensorboard, trackio, wandb"),
        ("wandb:", "'wandb:' names no project: wandb:PROJECT, with 1 to 200 characters"),
        ("mlflow:\x1b[31m", "names no experiment: mlflow:EXPERIMENT"),
        (f"tensorboard:{'x' * 201}", "names no folder: tensorboard:FOLDER"),
    ],
)
def test_what_is_no_tracker_is_refused_in_one_line(capsys, value, refused) -> None:
    assert refused in said(capsys, "--log", value)
    with pytest.raises(ValueError, match=r"^log: "):
        options_given("a search", "search", {"log": [value]})


def test_a_tracker_is_asked_for_once(capsys) -> None:
    assert "--log wandb is given twice" in said(capsys, "--log", "wandb", "--log", "wandb:other")


@pytest.mark.parametrize("name", TRACKERS)
def test_a_package_that_is_not_there_is_named_with_the_extra_that_brings_it(
    capsys, monkeypatch, tmp_path, name
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalogue, "is_installed", lambda package: package != name)
    for more in ([], ["--dry-run"]):
        wanted = f"--log {name} needs a package that is not installed: pip install '.[{name}]' in the checkout"
        assert wanted in said(capsys, "--log", name, *more)
    assert list(tmp_path.iterdir()) == []
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras[name][0].startswith(name)


def test_a_folder_of_a_packages_name_is_no_package(tmp_path, monkeypatch) -> None:
    for name in TRACKERS:
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / name).mkdir()  # as wandb and mlflow make them where they run
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert not any(is_installed(name) for name in TRACKERS)
    (tmp_path / "wandb" / "__init__.py").touch()
    sys.path_importer_cache.clear()
    assert is_installed("wandb")


def test_a_command_keeps_trackers_with_the_start_and_not_with_the_question() -> None:
    asked = command({"space": "parameter_golf", "log": [log_to("wandb:team/night"), log_to("mlflow")]})
    assert asked.start.log == (LogTo("wandb", "team/night"), LogTo("mlflow"))
    assert "wandb" not in str(asked.spec.to_json() if asked.spec.objective else asked.spec)
    given = options_given("--resume", "resume", {"log": "trackio"})
    assert given == {"log": [LogTo("trackio")]}, "one that stands alone is a list of one"


def test_tensorboard_writes_to_a_disk(capsys) -> None:
    from terminal.console import Console

    bucket = location("s3://bucket/runs/night")
    with pytest.raises(ValueError, match="say where, as --log tensorboard:FOLDER"):
        logging_to.describe_log(Console(), [LogTo("tensorboard")], bucket)
    logging_to.describe_log(Console(), [LogTo("tensorboard", "here"), LogTo("wandb")], bucket)
    assert capsys.readouterr().out == "log: tensorboard (folder here), wandb (project tuner)\n"
