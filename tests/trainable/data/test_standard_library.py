from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainable.data import standard_library
from trainable.data.standard_library import PASSAGE_BYTES, Passages, cut, passages


@pytest.fixture(scope="module")
def library() -> Passages:
    return passages()


def _library_of(folder: Path, files: dict[str, str]) -> Passages:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Passages("made up", folder, tuple(sorted(folder.iterdir())), by_name=True)


def test_it_is_source_without_tests(library) -> None:
    names = [file.relative_to(library.root).as_posix() for file in library.files]
    assert names == sorted(names) and {"argparse.py", "json/decoder.py"} <= set(names)
    folders = {part for name in names for part in name.split("/")[:-1]}
    assert folders.isdisjoint({"test", "tests", "idle_test", "site-packages", "__pycache__"})
    assert 500 < len(names) < 1000


def test_all_of_its_text_is_there_once_and_about_a_tenth_is_held_out(library) -> None:
    documents = list(library.documents())
    bytes_of = {side: sum(len(d.text.encode()) for d in documents if d.held_out is side) for side in (True, False)}
    assert sum(bytes_of.values()) == sum(file.stat().st_size for file in library.files)
    assert 0.04 < bytes_of[True] / sum(bytes_of.values()) < 0.16


def test_the_tables_of_encodings_are_spread_over_all_of_it(library) -> None:
    # in the order of the files seven in ten of their bytes are in one tenth of the stream, the others in the one before
    tables = [i for i, d in enumerate(library.documents()) if "CONTROL CHARACTER" in d.text or "\\ufffe" in d.text]
    count = sum(1 for _ in library.documents())
    tenths = [sum(count * k // 10 <= i < count * (k + 1) // 10 for i in tables) for k in range(10)]
    assert min(tenths) > 0 and max(tenths) < len(tables) / 4


def test_the_order_is_the_same_in_every_pass_and_is_not_that_of_the_files(tmp_path: Path) -> None:
    source = _library_of(tmp_path, {f"{i:02d}.py": f"{i} = 0\n" for i in range(30)})
    texts = [document.text for document in source.documents()]
    assert texts == [document.text for document in source.documents()]
    assert sorted(texts) == [f"{i} = 0\n" for i in sorted(range(30), key=str)] and texts != sorted(texts)


def test_no_file_has_passages_on_both_sides(tmp_path: Path) -> None:
    files = {f"{i:02d}.py": f"{i:02d} says something\n" * 100 for i in range(60)}
    sides: dict[str, set[bool]] = {}
    for document in _library_of(tmp_path, files).documents():
        sides.setdefault(document.text[:2], set()).add(document.held_out)
    assert len(sides) == 60 and all(len(side) == 1 for side in sides.values())


def test_another_cut_is_another_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _library_of(tmp_path, {"a.py": "x\n"})
    before = source.digest()
    monkeypatch.setattr(standard_library, "PASSAGE_BYTES", PASSAGE_BYTES + 1)
    assert source.digest() != before


@given(st.text(), st.integers(1, 40))
def test_passages_are_whole_lines_that_give_the_text_again(text: str, size: int) -> None:
    found = cut(text, size)
    assert "".join(found) == text and all(found)
    for passage in found[:-1]:
        *before, _ = passage.splitlines(keepends=True)
        assert len(passage.encode()) >= size > len("".join(before).encode())


def test_a_python_without_sources_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_paths", lambda: {"stdlib": str(tmp_path)})
    with pytest.raises(ValueError, match=r"keeps no source text in .*: pass --data FOLDER with text files"):
        passages()
