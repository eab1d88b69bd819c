from __future__ import annotations

import getpass
import os
import stat
import tempfile
from pathlib import Path

import pytest

from tuner.cluster import home


@pytest.fixture
def stranger(monkeypatch, tmp_path):
    """Be a uid that nobody knows: no HOME, no name, no entry in the passwd database."""
    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: Path(os.environ["HOME"]) if "HOME" in os.environ else nowhere())

    def nobody() -> str:
        if "LOGNAME" in os.environ:
            return os.environ["LOGNAME"]
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)


def nowhere() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_a_user_without_a_home_gets_a_folder_that_stays_and_is_closed(stranger, tmp_path) -> None:
    home.ensure_home()
    found = Path(os.environ["HOME"])
    assert found.parent == tmp_path and stat.S_IMODE(found.stat().st_mode) == 0o700
    assert os.environ["LOGNAME"] == f"uid-{os.getuid()}"
    del os.environ["HOME"]
    home.ensure_home()
    assert os.environ["HOME"] == str(found)


@pytest.mark.parametrize("squatted", ["link", "file", "open"])
def test_a_home_that_somebody_else_has_put_there_is_not_taken(stranger, tmp_path, squatted) -> None:
    wanted = tmp_path / f"tuner-home-{os.getuid()}"
    if squatted == "link":
        wanted.symlink_to("/")
    elif squatted == "file":
        wanted.write_text("")
    else:
        wanted.mkdir()
        wanted.chmod(0o777)
    home.ensure_home()
    assert Path(os.environ["HOME"]) != wanted and Path(os.environ["HOME"]).parent == tmp_path


def test_an_empty_home_is_none(monkeypatch) -> None:
    monkeypatch.setenv("HOME", "")
    home.ensure_home()
    assert len(Path.home().parts) > 1, "not the root of the disk"
    assert os.environ.get("HOME") != ""


def test_a_home_that_is_there_stays(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    home.ensure_home()
    assert os.environ["HOME"] == str(tmp_path)
