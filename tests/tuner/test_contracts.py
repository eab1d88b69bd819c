"""``python -m tuner.contracts``: what holds for our components is asked of a user's own, and nothing else is."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.own_files import EXAMPLES, HOOK, forgotten
from tuner import contracts

ROOT = Path(contracts.__file__).parents[1]


@pytest.fixture(autouse=True)
def forgetting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with forgotten():
        yield


def held(*files: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tuner.contracts", *map(str, files)]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)


def test_the_examples_hold_what_ours_hold() -> None:
    done = held(EXAMPLES / "sawtooth.py", EXAMPLES / "small_space.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "contracts of Sawtooth, small:" in done.stdout and " passed, " in done.stdout


def test_a_trick_whose_neutral_setting_does_something_is_found() -> None:
    Path("nudge.py").write_text(HOOK.replace("1 - self.amount", "0.999 - self.amount"))
    done = held("nudge.py")
    assert done.returncode == 1 and "test_neutral_is_bit_identical_to_absent" in done.stdout
    assert "Nudge" in done.stdout and "GradientClip" not in done.stdout


def test_bad_input_is_one_line_with_exit_code_2(capsys) -> None:
    Path("empty.py").write_text('"""Nothing."""\n')
    Path("broken.py").write_text("def")
    for file, said in {
        "empty.py": "empty.py: no component and no space is defined there",
        "broken.py": "broken.py, line 1: invalid syntax",
        "emty.py": "there is no file 'emty.py': did you mean 'empty.py'?",
    }.items():
        assert contracts.main([file]) == 2
        err = capsys.readouterr().err
        assert said in err and err.count("\n") == 1


def test_they_are_found_where_the_package_was_installed(tmp_path, monkeypatch) -> None:
    class Installed(importlib.metadata.PackagePath):
        def locate(self) -> Path:
            return tmp_path / self

    place = Installed("share/tuner/tests/contracts/test_every_component.py")
    monkeypatch.setattr(contracts, "__file__", str(tmp_path / "site-packages" / "tuner" / "contracts.py"))
    monkeypatch.setattr(contracts, "files", lambda name: [Installed("tuner/run.py"), place])
    assert contracts.contracts() == tmp_path / "share/tuner/tests/contracts"
    monkeypatch.setattr(contracts, "files", lambda name: [Installed("tuner/run.py")])
    with pytest.raises(ValueError, match="are not installed here: run this from a checkout"):
        contracts.contracts()


def test_an_installation_takes_the_contracts_along_and_an_image_without_tests_is_still_built() -> None:
    taken = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    found = {place: {file.name for one in patterns for file in ROOT.glob(one)} for place, patterns in taken.items()}
    assert found["share/tuner/tests"] == {"conftest.py"}
    assert found["share/tuner/tests/contracts"] == {file.name for file in (ROOT / "tests/contracts").glob("*.py")}
    assert all("*" in pattern for patterns in taken.values() for pattern in patterns), "a file that lacks ends a build"
