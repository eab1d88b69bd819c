from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainable.data import text


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def _jsonl(path: Path, texts: list[str]) -> None:
    path.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts), encoding="utf-8")


def _split(source: text.TextSource) -> tuple[list[str], list[str]]:
    documents = list(source.documents())
    return [d.text for d in documents if not d.held_out], [d.text for d in documents if d.held_out]


# --- what is held out ------------------------------------------------------------------------------------------------


def test_a_file_stays_on_its_side_of_the_split_when_others_come_and_go(tmp_path: Path) -> None:
    _write(tmp_path, {f"module_{i}.py": str(i) for i in range(60)})
    files = sorted(tmp_path.iterdir())
    whole = _split(text.TextSource("all", tmp_path, tuple(files), by_name=True))
    part = _split(text.TextSource("part", tmp_path, tuple(files[::2]), by_name=True))
    assert whole[1] and set(part[0]) < set(whole[0]) and set(part[1]) <= set(whole[1])


# --- the user's own text ---------------------------------------------------------------------------------------------


def test_many_files_are_split_by_file(tmp_path: Path) -> None:
    _write(tmp_path, {f"sub/{i:02d}.md": f"text {i}\n" for i in range(25)})
    train, held_out = _split(text.source_at(tmp_path))
    assert len(held_out) == 2 and sorted(train + held_out) == sorted(f"text {i}\n" for i in range(25))


def test_few_files_of_many_documents_are_split_by_document(tmp_path: Path) -> None:
    _jsonl(tmp_path / "a.jsonl", [f"a{i}" for i in range(12)])
    pq.write_table(pa.table({"text": [f"b{i}" for i in range(9)], "n": list(range(9))}), tmp_path / "b.parquet")
    train, held_out = _split(text.source_at(tmp_path))
    assert held_out == ["a9", "b7"] and len(train) == 19


def test_a_single_document_gives_its_last_tenth_at_a_line_border(tmp_path: Path) -> None:
    lines = [f"line {i}: naïve\n" for i in range(200)]
    (tmp_path / "book.txt").write_text("".join(lines), encoding="utf-8")
    (train,), (held_out,) = _split(text.source_at(tmp_path / "book.txt"))
    assert train + held_out == "".join(lines) and train.endswith("\n")
    assert abs(len(held_out.encode()) / len("".join(lines).encode()) - 0.1) < 0.01


@pytest.mark.parametrize("content", ["é" * 1000, "short\n" + "é" * 1000, "é" * 1000 + "\n"])
def test_a_document_without_a_line_border_near_its_end_is_cut_at_a_character(tmp_path: Path, content: str) -> None:
    (tmp_path / "book.txt").write_text(content, encoding="utf-8")
    (train,), (held_out,) = _split(text.source_at(tmp_path / "book.txt"))
    assert train + held_out == content and 95 < len(held_out) < 105


def test_line_ends_and_marks_are_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_bytes("\ufeffa\r\nb\r\n".encode() * 50)
    (train,), (held_out,) = _split(text.source_at(tmp_path / "book.txt"))
    assert (train + held_out).encode() == (tmp_path / "book.txt").read_bytes()


def test_hidden_files_are_left_out_and_files_that_are_no_text_are_told(tmp_path: Path) -> None:
    _write(tmp_path, {"a.txt": "a", ".git/b.txt": "b", ".hidden.md": "c", "x.png": "", "y.png": "", "LICENSE": ""})
    source = text.source_at(tmp_path)
    assert [file.name for file in source.files] == ["a.txt"] and source.ignored == "2 .png, 1 LICENSE, 2 hidden"


def test_the_digest_sees_names_and_contents(tmp_path: Path) -> None:
    _write(tmp_path, {"a.txt": "one", "b.txt": "two"})
    digests = [text.source_at(tmp_path).digest()]
    (tmp_path / "b.txt").write_text("TWO")
    digests.append(text.source_at(tmp_path).digest())
    (tmp_path / "b.txt").rename(tmp_path / "c.txt")
    digests.append(text.source_at(tmp_path).digest())
    assert len(set(digests)) == 3


def test_an_empty_row_is_an_empty_document_that_does_not_move_the_split(tmp_path: Path) -> None:
    texts = [f"d{i}" for i in range(20)]
    _jsonl(tmp_path / "a.jsonl", texts)
    _jsonl(tmp_path / "b.jsonl", ["", *texts[:5], "", *texts[5:]])
    train, held_out = _split(text.source_at(tmp_path / "b.jsonl"))
    assert ([t for t in train if t], held_out) == _split(text.source_at(tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"caf\xe9 au lait", r"a\.txt is not UTF-8 text: byte 0xe9 at position 3"),
        ("a.txt", b"", r"a\.txt is empty"),
        ("a.TXT", b"x", r"ends in '\.TXT' but text is read from .*endings are told by small letters: rename"),
        ("a.csv", b"x", r"a\.csv ends in '\.csv' but text is read from \.txt, \.md, \.jsonl, \.parquet"),
        ("a.bin", b"x", "give the folder that holds the shards"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', r"a\.jsonl line 2 is not JSON"),
        ("a.jsonl", b'{"texts": "a"}\n', r"a\.jsonl line 1 has no field 'text': did you mean 'texts'\?"),
        ("a.jsonl", b'["text"]\n', r"a\.jsonl line 1 has no field 'text'"),
        ("a.jsonl", b'{"text": 3}\n', r"a\.jsonl line 1 has the text 3 but it must be a string"),
        ("a.jsonl", b'{"text": "\\ud800"}\n', r"a\.jsonl line 1 holds half a surrogate pair"),
        ("a.jsonl", b'{"text": "\xff"}\n', r"a\.jsonl line 1 is not UTF-8"),
        ("a.parquet", b"PAR1", r"a\.parquet is not a Parquet file"),
    ],
)
def test_input_that_cannot_be_read_is_one_error_that_names_the_file(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=says):
        source = text.source_at(tmp_path / name)
        source.digest()
        list(source.documents())


def test_a_table_without_the_column_names_the_columns_it_has(tmp_path: Path) -> None:
    pq.write_table(pa.table({"content": ["a"], "id": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet has no column 'text': .*content"):
        list(text.source_at(tmp_path / "a.parquet").documents())


def test_a_folder_without_text_says_what_it_holds(tmp_path: Path) -> None:
    _write(tmp_path, {"a.csv": "", "b.csv": ""})
    with pytest.raises(ValueError, match=r"holds no text .* it holds 2 \.csv"):
        text.source_at(tmp_path)


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no file or folder .*nowhere"):
        text.source_at(tmp_path / "nowhere")
