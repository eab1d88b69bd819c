"""Frames as CSV and Markdown: what a spreadsheet makes of them, and what hostile text cannot do there."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest

from results import load, report
from results.export import to_csv, to_markdown, write_csv
from results.questions.catalogue import QUESTIONS

HOSTILE = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1", '=HYPERLINK("http://x","y")']


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_would_be_a_formula_is_written_as_text_in_cells_and_in_heads(text: str) -> None:
    head, row = read(to_csv(pd.DataFrame({text: [text]})))
    for cell in (*head, *row):
        assert cell[0] not in "=+-@\t\r\uff1d" and cell.lstrip("'\\tr") != ""


def test_numbers_stay_numbers_with_all_their_digits() -> None:
    frame = pd.DataFrame({"value": [-0.1, 1 / 3, float("nan")], "count": pd.array([-1, 2**60, None], dtype="Int64")})
    frame["mixed"] = pd.Series([-1.5, "-1.5", True], dtype=object)
    assert read(to_csv(frame)) == [
        ["value", "count", "mixed"],
        ["-0.1", "-1", "-1.5"],
        [repr(1 / 3), str(2**60), "'-1.5"],
        ["", "", "True"],
    ]
    back = pd.read_csv(io.StringIO(to_csv(frame[["value", "count"]])))
    assert back["value"].tolist()[:2] == frame["value"].tolist()[:2]


def test_times_are_utc_without_an_offset_and_the_head_says_so() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    east = at.astimezone(timezone(timedelta(hours=9)))
    frame = pd.DataFrame({"started_at": pd.to_datetime([east, None], utc=True), "there": pd.to_datetime([east, None])})
    head, first, second = read(to_csv(frame))
    assert head == ["started_at (UTC)", "there (UTC)"] and first == ["2026-01-02 03:04:05"] * 2 and second == ["", ""]
    assert pd.to_datetime(first[0]) == pd.Timestamp("2026-01-02 03:04:05")
    assert "2026-01-02 03:04:05 |" in to_markdown(frame) and "(UTC)" in to_markdown(frame)


def test_text_with_commas_quotes_and_line_ends_is_one_cell_of_one_line() -> None:
    text = to_csv(pd.DataFrame({"reason": ['a, "b"\nc\x1b[31m é']}))
    assert len(text.splitlines()) == 2 and "\x1b" not in text
    assert read(text)[1] == ['a, "b"\\nc\\x1b[31m é']


def test_a_table_of_markdown_escapes_what_would_be_markup() -> None:
    frame = pd.DataFrame({"a|b": ["x|y\nz", "<b>&amp;</b>", "[l](http://x)", "`c` *d* _e_ ~f~ #g $h$ \\i ![j]"]})
    frame["value"] = [-1 / 3, 2.0, float("nan"), 1e-9]
    lines = to_markdown(frame).splitlines()
    assert lines[0] == r"| a\|b | value |" and lines[1] == "| --- | --: |"
    assert lines[2] == r"| x\|y\\nz | -0.333333 |" and lines[3] == r"| \<b\>\&amp;\</b\> | 2 |"
    assert lines[4] == r"| \[l\](http://x) |  |" and lines[5].endswith(r"\\i \!\[j\] | 1e-09 |")
    unescaped = [line.replace("\\\\", "").replace("\\|", "") for line in lines]
    assert {line.count("|") for line in unescaped} == {3}, "as many cells in each line"


def test_bytes_parameters_and_tokens_have_their_thousands_apart_in_text_and_are_plain_in_csv() -> None:
    sizes = {"bytes_total": [828075, None], "parameters": [1000.0, 2.5]}
    frame = pd.DataFrame({**sizes, "seed": [1337, 7], "tokens_per_second": [1e5, 2.0]}).astype({"bytes_total": "Int64"})
    _, _, first, second = to_markdown(frame).splitlines()
    assert first == "| 828,075 | 1,000 | 1337 | 100000 |" and second == "|  | 2.5 | 7 | 2 |"
    assert read(to_csv(frame))[1][:2] == ["828075", "1000.0"]


def test_a_report_writes_a_file_a_question(campaign: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "new" / "tables"
    assert report.main([str(campaign), "--no-page", "--csv", str(out)]) == 0
    assert f"Tables in {out}: leaderboard.csv, " in capsys.readouterr().out
    names = {path.stem for path in out.iterdir()}
    assert names == (QUESTIONS.keys() - {"pareto"}) | {"trials", "confirmations", "reports"}
    for path in out.iterdir():
        content = path.read_bytes()
        assert content.startswith(b"\xef\xbb\xbf"), "by which Excel knows UTF-8"
        assert pd.read_csv(path).columns[0].isascii()
    board = pd.read_csv(out / "leaderboard.csv")
    assert board["trial"].tolist() == load(campaign).leaderboard()["trial"].tolist()
    assert board["value"].dropna().tolist() == load(campaign).leaderboard()["value"].dropna().tolist()
    assert report.main([str(campaign), "--no-page", "--csv", str(out)]) == 0, "they are replaced"


def test_csv_files_are_not_put_among_rows_nor_in_place_of_a_file(campaign: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "note").write_text("mine")
    before = sorted(path for path in tmp_path.rglob("*"))
    for folder, said in ((campaign / "trials", "lies in the campaign"), (tmp_path / "note", "is no folder")):
        assert report.main([str(campaign), "--no-page", "--csv", str(folder)]) == 2
        printed = capsys.readouterr()
        assert said in printed.err and printed.err.count("\n") == 1 and printed.out == ""
    assert sorted(path for path in tmp_path.rglob("*")) == before and (tmp_path / "note").read_text() == "mine"


def test_tables_are_written_to_an_object_store_too(campaign: Path) -> None:
    from storage import files
    from storage.location import location

    folder = location("memory://tables/night")
    names = write_csv(load(campaign), folder)
    assert files.names(folder) == sorted(names) and b"versus_base" in files.read(folder / "leaderboard.csv")


def test_hostile_names_of_a_campaign_reach_no_cell_as_a_formula(store, make_trial) -> None:
    store.write_trial(make_trial(0, "crashed", None, reason="=cmd|'/C calc'!A0"))
    store.write_trial(make_trial(1, "completed", 1.0, {"schedule": "@evil"}))
    for name, frame in {"trials": load(store.folder).trials, "leaderboard": load(store.folder).leaderboard()}.items():
        cells = [cell for row in read(to_csv(frame)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))], name
        assert any(cell == "'@evil" for cell in cells)
