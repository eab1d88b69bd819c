"""Places that turn out to take no file: one line that names the option and its value."""

from __future__ import annotations

import pytest

from results import compact, compare, report
from search_spaces.reference import __main__ as reference
from storage.target import why_not_writable
from tuner import export, run

NOWHERE = "/proc/x"  # where root has every right, and yet nothing can be made
KEPT = str(compare.KEPT / "ngpt")
PROGRAMS = {
    "report --csv": (report.main, KEPT, "--no-page", "--csv", NOWHERE),
    "report --png": (report.main, KEPT, "--no-page", "--png", NOWHERE),
    "report --markdown": (report.main, KEPT, "--no-page", "--markdown", f"{NOWHERE}.md"),
    "compare --html": (compare.main, KEPT, "no_campaign", "--html", f"{NOWHERE}.html"),
    "compare --picture": (compare.main, "no_campaign", "--picture", f"{NOWHERE}.png"),
    "compact": (compact.main, "no_campaign", NOWHERE),
    "export --to": (export.main, "no_campaign", "--to", f"{NOWHERE}/y"),
    "run --results": (run.main, "--space", "parameter_golf", "--results", NOWHERE),
    "reference --write": (reference.main, "--write", "/proc"),
}


@pytest.mark.parametrize("called", PROGRAMS)
def test_a_place_that_takes_nothing_is_named_before_anything_is_read_or_printed(called, capsys) -> None:
    main, *arguments = PROGRAMS[called]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1, out + err
    assert called.split()[-1].replace("compact", "TARGET") in err and arguments[-1] in err
    assert "in /proc" in err or "/proc may not" in err


def test_looking_whether_a_folder_takes_files_leaves_nothing_in_it(tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    assert why_not_writable(tmp_path) is why_not_writable(tmp_path / "a" / "b") is None
    assert why_not_writable(tmp_path / "file" / "b") == f"{tmp_path / 'file'} is no folder"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
