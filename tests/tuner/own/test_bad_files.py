"""Files of a user's own that cannot be taken: one line, exit code 2, and hints that can be followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.own_files import HOOK, forgotten
from trainable.own import source
from tuner import contracts, run

GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--dry-run"]


@pytest.fixture(autouse=True)
def forgetting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with forgotten():
        yield


def refused(capsys, *arguments: str) -> str:
    assert run.main([*arguments]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and "Traceback" not in out + err
    return str(err)


@pytest.mark.parametrize(
    "ending", ["import sys\nsys.exit()", "import sys\nsys.exit('no')", "raise SystemExit(0)", "exit(3)"]
)
def test_a_file_that_ends_the_program_at_its_import_is_refused_by_every_door(ending, capsys) -> None:
    Path("quits.py").write_text(ending)
    for asked in (["--list", "--space", "quits.py"], [*GOLF, "--import", "quits.py"]):
        assert "quits.py, line " in (said := refused(capsys, *asked)) and "it ends the program (" in said
    assert contracts.main(["quits.py"]) == 2
    assert "it ends the program (" in capsys.readouterr().err


@pytest.mark.parametrize("again", ["nudge.py", "./nudge.py", "nudge"])
def test_a_file_that_is_given_twice_is_refused(again, capsys, monkeypatch) -> None:
    Path("nudge.py").write_text(HOOK)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    said = refused(capsys, *GOLF, "--import", "nudge.py", "--import", again)
    whose = "" if again == "nudge.py" else ", as 'nudge.py' before"
    assert said == f"python -m tuner.run: '{again}' is given twice{whose}: once is enough\n"


def test_only_what_would_be_taken_is_hinted_at(capsys) -> None:
    for name in (
        "sawtooth.py",
        "saw-tooth.py",
        "json.py",
        "tuner.py",
        "class.py",
        "__init__.py",
        "numpy.py",
        "long.py",
    ):
        Path(name).write_text("")
    Path("long.py").write_text("#" * (source.FILE_BYTES + 1))
    Path("folder.py").mkdir()
    hinted = source.files_to_take(Path())
    assert set(hinted) <= {"sawtooth.py", "numpy.py"} and "sawtooth.py" in hinted
    for typed in ("saw-tooht.py", "jsn.py", "tuner_.py", "clas.py", "lnog.py", "foldr.py"):
        with pytest.raises(ValueError, match="there is no file") as error:
            source.read(typed)
        for name in ("saw-tooth.py", "json.py", "tuner.py", "class.py", "long.py", "folder.py", "__init__.py"):
            assert f"'{name}'" not in str(error.value)
    assert "did you mean 'sawtooth.py'?" in refused(capsys, *GOLF, "--import", "sawtoth.py")
    assert "'json.py'" not in refused(capsys, "--list", "--space", "jsn")
