"""Folders of texts as people have them: nothing is left out without a word, and what is harmless is taken."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainable.data import find_text, preparation, sources, text, vocabulary_files
from trainable.data.dataset import DataConfig
from trainable.data.preparation import check_source, prepare


def texts(folder: Path, count: int, prefix: str = "t") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{prefix}{number}.txt").write_text(f"{prefix} {number}\n")
    return folder


def read(path: Path) -> list[str]:
    return [document.text for document in text.source_at(path).documents() if document.text]


# --- what is found ----------------------------------------------------------------------------------------------------


def test_a_linked_folder_of_texts_is_read_and_a_link_back_is_no_loop(tmp_path: Path) -> None:
    folder, elsewhere = texts(tmp_path / "a", 3), texts(tmp_path / "b", 4, "u")
    (folder / "more").symlink_to(elsewhere)
    (folder / "one.txt").symlink_to(elsewhere / "u0.txt")
    (elsewhere / "back").symlink_to(folder)
    source = text.source_at(folder)
    assert len(source.files) == 8 and source.about == "8 files read, left out 1 link back to a folder above"


def test_what_is_left_out_is_counted_by_kind(tmp_path: Path) -> None:
    folder = texts(tmp_path / "a", 2)
    for name in ("empty.txt", "x.bin", "y.txt.gz", "z.zst", "LICENSE", ".hidden", "UPPER.TXT"):
        (folder / name).write_bytes(b"" if name == "empty.txt" else b"x")
    assert text.source_at(folder).about == (
        "2 files read, left out 1 .TXT, 1 .bin, 1 .gz, 1 .zst, 1 LICENSE, 1 empty, 1 hidden"
    )
    assert not sources.has_shards(str(folder)), "a stray .bin makes no shards of texts"


def test_empty_files_do_not_move_the_split(tmp_path: Path) -> None:
    folder = texts(tmp_path / "a", 20)
    before = [(d.text, d.held_out) for d in text.source_at(folder).documents()]
    (folder / "a-first.md").touch()
    assert [(d.text, d.held_out) for d in text.source_at(folder).documents()] == before


@pytest.mark.parametrize("kind", ["dangling", "loop", "pipe", "folder", "stat"])
def test_what_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, kind: str, monkeypatch) -> None:
    folder, odd = texts(tmp_path / "a", 2), tmp_path / "a" / "odd.txt"
    says = {"dangling": "odd.txt is a link to nothing", "loop": "odd.txt is a link to nothing", "pipe": "is a pipe"}
    if kind == "dangling":
        odd.symlink_to(tmp_path / "gone")
    elif kind == "loop":
        odd.symlink_to(odd)
    elif kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.mkdir()
        listed, stated = os.listdir, Path.stat

        def refused(path, *args, **options):
            if Path(path) == odd:
                raise PermissionError(13, "Permission denied")
            return (listed if kind == "folder" else stated)(path, *args, **options)

        monkeypatch.setattr(*((find_text.os, "listdir") if kind == "folder" else (Path, "stat")), refused)
    with pytest.raises(ValueError, match=says.get(kind, "odd.txt cannot be read: Permission denied")):
        text.source_at(folder)


def test_folders_without_end_are_one_line(tmp_path: Path) -> None:
    texts(tmp_path.joinpath("a", *["b"] * (find_text.DEEPEST + 1)), 1)
    with pytest.raises(ValueError, match="more than 200 folders deep"):
        text.source_at(tmp_path / "a")


def test_a_name_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    folder = texts(tmp_path / "a", 12)
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("menu\n")
    source = text.source_at(folder)
    assert len(source.digest()) == 64 and "menu\n" in read(folder)


@pytest.mark.parametrize("name", ["a", "a.csv", "a.bin", "a.txt.gz"])
def test_a_plan_refuses_what_a_run_refuses(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")
    config = DataConfig(source=str(path), vocab_size=280, seq_len=4, batch_tokens=8)
    with pytest.raises(ValueError) as planned:
        check_source(config)
    with pytest.raises(ValueError) as run:
        prepare(config, tmp_path / "cache")
    assert str(planned.value) == str(run.value) and str(path) in str(run.value)


# --- what stands in them ----------------------------------------------------------------------------------------------


def test_a_null_row_a_blank_line_and_a_mark_at_the_start_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n\r\n{"text": null}\n{"text": "b"}')
    pq.write_table(pa.table({"text": ["c", None, ""]}), tmp_path / "b.parquet")
    pq.write_table(pa.table({"text": pa.array(["d", "é"]).cast(pa.binary())}), tmp_path / "c.parquet")
    pq.write_table(pa.table({"text": pa.array(["e", "e"]).dictionary_encode()}), tmp_path / "d.parquet")
    assert [t for name in "abcd" for file in tmp_path.glob(f"{name}.*") for t in text._texts(file) if t] == [
        "a", "b", "c", "d", "é", "e", "e"
    ]  # fmt: skip


REFUSED = {
    "a.txt": ("a".encode("utf-16"), "byte 0xff at position 0: it begins as UTF-16 does; convert it first"),
    "deep.jsonl": (b'{"text": ' + b"[" * 100_000, "deep.jsonl line 1 is nested too deeply"),
    "digits.jsonl": (b'{"text": "a"}\n{"text": "a", "n": ' + b"9" * 5000 + b"}", "digits.jsonl line 2 is not JSON"),
    "long.jsonl": (b'{"text": "' + b"x" * 2000 + b'"}', "long.jsonl line 1 is longer than 1,000 bytes"),
    "list.jsonl": (json.dumps({"text": ["x" * 9000]}).encode(), "list.jsonl line 1 has the text ['x"),
    "other.jsonl": (b'{"txt": "a"}', "other.jsonl line 1 has no field 'text': did you mean 'txt'?"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_text_is_one_short_line_with_its_file_and_line(tmp_path: Path, name: str, monkeypatch) -> None:
    monkeypatch.setattr(text, "LONGEST_LINE", 1_000 if name == "long.jsonl" else text.LONGEST_LINE)
    (tmp_path / name).write_bytes(REFUSED[name][0])
    with pytest.raises(ValueError) as refused:
        read(tmp_path / name)
    said = str(refused.value)
    assert REFUSED[name][1] in said and "\n" not in said and len(said) < len(str(tmp_path)) + 300


@pytest.mark.parametrize("values", [[b"\xff"], [3]], ids=["bytes that are no UTF-8", "numbers"])
def test_a_column_of_anything_but_text_names_its_row(tmp_path: Path, values) -> None:
    pq.write_table(pa.table({"text": values}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet row 1 "):
        read(tmp_path / "a.parquet")


# --- what must not change ---------------------------------------------------------------------------------------------


def test_data_that_were_fine_keep_their_fingerprint(tmp_path: Path) -> None:
    """Recorded replays and resumes depend on it: made by the code before any of the rules above."""
    folder = tmp_path / "t"
    (folder / "sub").mkdir(parents=True)
    for i in range(12):
        line = f"{i}: the cat sat on the mat, naïve as ever\r\n"
        (folder / ("sub" if i % 3 == 0 else ".") / f"{i:02d}.txt").write_bytes(line.encode() * 3)
    (folder / "bom.md").write_bytes("\ufeffa mark and a line\n".encode() * 3)
    (folder / "r.jsonl").write_text('{"text": ""}\n{"text": "a row of it"}\n')
    (folder / "x.png").touch()
    (folder / ".h.txt").write_text("h")
    config = DataConfig(source=str(folder), vocab_size=270, seq_len=4, batch_tokens=8)
    assert prepare(config, tmp_path / "cache").fingerprint == "82f79375a0160947"


# --- what lacks is said early -----------------------------------------------------------------------------------------


def test_a_missing_package_is_said_before_any_download(tmp_path: Path, monkeypatch) -> None:
    def lacks(what: object) -> None:
        raise ValueError(f"{what} needs the package sentencepiece: pip install sentencepiece")

    monkeypatch.setattr(vocabulary_files, "check_sentencepiece", lacks)
    monkeypatch.setattr("trainable.data.hub.reach", lambda file, root, advice: pytest.fail("asked the hub"))
    config = DataConfig(source="fineweb10B_sp1024")
    for ask in (lambda: check_source(config, 10, download_now=True), lambda: prepare(config, tmp_path / "cache")):
        with pytest.raises(ValueError, match="fineweb10B_sp1024 needs the package sentencepiece"):
            ask()


def test_a_plan_says_what_must_be_downloaded_and_a_run_asks_for_it_first(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(preparation, "cache_folder", lambda: tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    config = DataConfig(source="fineweb10B_sp1024")
    assert "is not on this machine yet" in check_source(config, 10)
    with pytest.raises(ValueError, match=r"could not download .*copy .* from there to here$"):
        check_source(config, 10, download_now=True)
    assert list(tmp_path.iterdir()) == []
