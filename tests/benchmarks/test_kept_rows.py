"""A long benchmark goes on from the rows that it has measured."""

from __future__ import annotations

import pytest

from benchmarks import importance
from benchmarks.kept_rows import KeptRows

NAME = "python -m benchmarks.made_up"


def test_a_part_is_measured_once_also_after_an_end(tmp_path) -> None:
    file, measured = tmp_path / "rows.jsonl", []

    def measure():
        measured.append(1)
        return [{"value": 0.5, "method": "ours"}]

    first = KeptRows(NAME, file).of(("a", 24, 1), measure)
    again = KeptRows(NAME, file)
    assert again.of(("a", 24, 1), measure) == first == [{"value": 0.5, "method": "ours"}] and len(measured) == 1
    again.of(("a", 24, 2), measure)
    assert len(measured) == 2 and len(file.read_text().splitlines()) == 2


def test_a_line_that_was_cut_is_measured_again(tmp_path) -> None:
    file = tmp_path / "rows.jsonl"
    kept = KeptRows(NAME, file)
    kept.of(("a", 1), lambda: [{"value": 1}])
    kept.of(("a", 2), lambda: [{"value": 2}])
    file.write_text(file.read_text()[:-5])
    again = KeptRows(NAME, file)
    assert again.of(("a", 1), lambda: [{"value": 0}]) == [{"value": 1}]
    assert again.of(("a", 2), lambda: [{"value": 3}]) == [{"value": 3}]
    assert len(KeptRows(NAME, file).rows) == 2


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert KeptRows(NAME).of(("a",), lambda: [{"value": 1}]) == [{"value": 1}]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["no JSON\n", "[]\n", '{"benchmark": "another", "part": [], "rows": []}\n', "a line without an end", "\n"]
)
def test_a_file_of_something_else_is_refused_in_one_line_and_left_as_it_is(tmp_path, capsys, text) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(text)
    assert importance.main(["--seeds", "1", "--keep", str(file)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert str(file) in said and "line 1" in said
    assert file.read_text() == text
