from __future__ import annotations

import getpass
import importlib.util
import json
import re
import shutil
import socket
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from tuner.campaign import provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """A repository with a copy of the module, imported from there."""
    shutil.copy(provenance.__file__, tmp_path / "copy_of_provenance.py")
    (tmp_path / "other").write_text("1")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "other")
    git(tmp_path, "commit", "-qm", "other")
    spec = importlib.util.spec_from_file_location("copy_of_provenance", tmp_path / "copy_of_provenance.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tmp_path, module


def test_the_version_is_the_commit_and_a_plus_where_files_were_changed(checkout) -> None:
    folder, module = checkout
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    commit = git(folder, "rev-parse", "--short=12", "HEAD")
    assert module.code_version() == commit
    (folder / "other").write_text("2")
    assert module.code_version() == commit + "+"


def test_the_commit_of_a_checkout_that_merely_contains_the_installed_package_is_not_ours(checkout) -> None:
    _, module = checkout  # not added: as in a virtual environment inside somebody's repository
    assert module.code_version() == version("tuner")


def test_without_git_the_packages_version_stands(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert provenance.code_version.__wrapped__() == version("tuner")  # what the tests have cached knows better


def test_the_environment_names_versions_but_no_host_or_user() -> None:
    found = provenance.environment()
    assert re.fullmatch(r"3\.\d+\.\d+", found["python"])
    assert found["ray"] == version("ray") and found["torch"] == version("torch")
    text = json.dumps(found)
    assert socket.gethostname() not in text and getpass.getuser() not in text


def test_a_package_that_is_not_there_has_an_unknown_version() -> None:
    assert provenance.package_version("no-such-package-anywhere") == "unknown"
