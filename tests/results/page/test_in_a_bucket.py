"""Pages in an object store: the report's, the one at the end of a search, and that of several campaigns."""

from __future__ import annotations

import io
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from results import Store, compare, load, report
from results.page import PAGE
from storage import files
from storage.location import location
from terminal.console import Console
from tests.results.conftest import KNOBS
from tuner.cli.summary import try_to_write_page

pytestmark = pytest.mark.usefixtures("bucket")


@pytest.fixture
def in_bucket(make_trial: Any) -> Any:
    """Two campaigns in a folder of their own in s3://bucket, of two trials each."""
    runs = uuid.uuid4().hex
    folders = [location(f"s3://bucket/{runs}/{name}") for name in ("night", "day")]
    for at, folder in enumerate(folders):
        store = Store.create(folder, {"space": "parameter_golf"}, KNOBS)
        for number in range(2):
            changes = {"optimizer.matrix_lr": 0.1} if number else {}
            store.write_trial(make_trial(number, "completed", 2.0 - 0.1 * number - 0.01 * at, changes))
    return folders


def test_the_report_writes_its_page_there_and_says_where(in_bucket: Any, capsys: Any) -> None:
    assert report.main([str(in_bucket[0])]) == 0
    assert capsys.readouterr().out.endswith(f"Page: {in_bucket[0] / PAGE}\n")
    html = files.read(in_bucket[0] / PAGE).decode()
    assert html.startswith("<!doctype html>") and "<title>night: parameter_golf</title>" in html
    assert f"python -m results.report {in_bucket[0]}" in html, "the command that writes it anew"


def test_the_end_of_a_search_writes_it_there_and_says_where(in_bucket: Any) -> None:
    console = Console(file=io.StringIO(), width=200)
    try_to_write_page(console, load(in_bucket[1]).read(), in_bucket[1])
    assert console.file.getvalue() == f"Page: {in_bucket[1] / PAGE}\n"  # type: ignore[attr-defined]
    assert b"<title>day: parameter_golf</title>" in files.read(in_bucket[1] / PAGE)


def test_campaigns_of_a_bucket_are_compared_here_or_there(
    in_bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [str(folder) for folder in in_bucket]
    assert compare.main(names) == 0
    assert capsys.readouterr().out.endswith(f"Page: {tmp_path / 'compare-night-day.html'}\n")
    assert "night and day share one ruler" in (tmp_path / "compare-night-day.html").read_text("utf-8")
    where = in_bucket[0].parent / "both.html"
    assert compare.main([*names, "--html", str(where)]) == 0
    assert capsys.readouterr().out.endswith(f"Page: {where}\n")
    assert re.search("<title>night / day</title>", files.read(where).decode())


def test_a_bucket_that_refuses_is_one_line_after_the_text(
    in_bucket: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    names = [str(folder) for folder in in_bucket]
    assert compare.main([*names, "--html", "s3://nowhere/both.html"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("campaign") and said.err.count("\n") == 1 and "not written" in said.err
