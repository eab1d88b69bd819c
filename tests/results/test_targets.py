"""Places for pages, tables and pictures: none inside a campaign, none that cannot be written to, before any output."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from results import compare, report

REPORT = {
    "a table over the record": ["--markdown", "C/campaign.json"],
    "a table among the rows": ["--markdown", "C/trials/part-0.parquet"],
    "tables in the campaign": ["--csv", "C"],
    "tables among the rows": ["--csv", "C/trials"],
    "tables below it": ["--csv", "C/tables"],
    "pictures in the campaign": ["--png", "C"],
    "pictures by a link": ["--png", "link"],
    "pictures at a file": ["--png", "file"],
    "pictures below a file": ["--png", "file/below"],
    "pictures at a device": ["--png", "/dev/null"],
    "a summary at a folder": ["--markdown", "folder"],
    "a summary in no folder": ["--markdown", "none/a.md"],
    "a summary at a device": ["--markdown", "/dev/full"],
}
COMPARE = {
    "a page over the rows": ["--html", "C/trials/part-0.parquet"],
    "a page in the campaign": ["--html", "C/page.html"],
    "a page called as the screen": ["--html", "-"],
    "a page at a device": ["--html", "/dev/full"],
    "a page in no folder": ["--html", "none/page.html"],
}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("C", "D"):
        shutil.copytree(compare.KEPT / "ngpt", name)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    os.symlink("C/trials", "link")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", [*REPORT, *COMPARE])
def test_a_place_of_a_campaign_or_of_no_use_is_refused_in_one_line_and_nothing_changes(case, place, capsys) -> None:
    before = contents(place)
    main, given = (
        (report.main, ["./C", *REPORT[case]]) if case in REPORT else (compare.main, ["./C", "./D", *COMPARE[case]])
    )
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main(given))
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "") and len(said.err.splitlines()) == 1 and given[-1] in said.err
    assert contents(place) == before


def test_a_page_of_several_campaigns_is_not_of_one_campaign_twice(place, capsys) -> None:
    os.symlink("C", "again")
    for other in ("./C", "./C/", "./again"):
        with pytest.raises(SystemExit) as ended:
            raise SystemExit(compare.main(["./C", other, "--no-page"]))
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "") and "is given twice" in said.err
