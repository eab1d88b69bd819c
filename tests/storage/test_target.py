"""Files that a user names to be written: regular files in folders that are there, or one line before any work."""

from __future__ import annotations

import os

import pytest

from benchmarks import importance, search_efficiency
from benchmarks.gpu.__main__ import main as gpu
from benchmarks.surrogate import compare as surrogate
from search_spaces import coverage
from storage.target import check_file_to_write

NO_FILES = {
    "/dev/full": "is a device, a pipe or a socket, not a file",
    "/dev/zero": "is a device, a pipe or a socket, not a file",
    "pipe": "is a device, a pipe or a socket, not a file",
    "folder": "is a folder, not a file",
    "none/x.csv": "there is no folder",
    f"{'n' * 300}.csv": "File name too long",
    "loop": "Too many levels of symbolic links",
}
PROGRAMS = {
    "importance": (importance.main, "--keep"),
    "gpu": (gpu, "--device", "cpu", "--quick", "--out"),
    "the journal": (coverage.main, "--space", "ngpt", "--journal"),
    "the table": (coverage.main, "--space", "ngpt", "--write"),
    "the picture": (search_efficiency.main, "t.csv", "--picture"),
    "lines": (surrogate.main, "--lines"),
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.mkdir("folder")
    os.symlink("loop", "loop")


@pytest.mark.parametrize("where", NO_FILES)
def test_what_is_no_regular_file_is_refused_with_the_option_and_the_rule(tmp_path, where) -> None:
    with pytest.raises(ValueError, match=f"^--keep .*{NO_FILES[where]}"):
        check_file_to_write("--keep", tmp_path / where)


def test_a_new_file_an_old_one_and_a_link_to_one_are_taken(tmp_path) -> None:
    (tmp_path / "old").write_text("kept")
    os.symlink("old", "link")
    for name in ("new", "old", "link"):
        check_file_to_write("--keep", tmp_path / name)
    assert (tmp_path / "old").read_text() == "kept" and not (tmp_path / "new").exists()


@pytest.mark.parametrize("where", ["none/x.csv", "/dev/zero", "pipe"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_that_measure_for_long_refuse_it_before_they_begin(program, where, capsys) -> None:
    main, *arguments = PROGRAMS[program]
    assert main([*arguments, where]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and f"{arguments[-1]} {where}" in err
