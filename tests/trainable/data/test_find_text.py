"""Files that are no kept files: what the kernel makes up as it is read is no text of anybody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainable.data import find_text, text

ENVIRON = Path("/proc/self/environ")
needs_proc = pytest.mark.skipif(not ENVIRON.exists(), reason="this system has no /proc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "a.txt").write_text("a text\n")
    return tmp_path / "good"


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as refused:
        text.source_at(path)
    return str(refused.value)


def test_endings_in_capitals_are_explained_where_nothing_else_is_there(tmp_path: Path) -> None:
    (tmp_path / "A.TXT").write_text("a text\n")
    assert refusal(tmp_path).endswith("it holds 1 .TXT; endings are told by small letters: rename what is to be read")


@needs_proc
@pytest.mark.parametrize("target", ["/proc/self/environ", "/proc/cpuinfo", "/proc/self/task"])
def test_a_link_to_what_the_kernel_makes_is_refused_by_name(folder: Path, target: str) -> None:
    link = folder / "x.txt"
    link.symlink_to(target)
    said = refusal(folder)
    assert said.startswith(f"{link} stands for /proc/") and "made by the kernel as it is read" in said


@needs_proc
def test_a_chain_of_links_and_a_single_file_are_refused_too(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "between").symlink_to("/proc")
    (folder / "x.txt").symlink_to(tmp_path / "between" / "self" / "environ")
    for path in (folder, folder / "x.txt"):
        assert f"{folder / 'x.txt'} stands for /proc/" in refusal(path)
    assert refusal(Path("/proc/self")).startswith("/proc/self stands for /proc/")


def test_files_of_the_same_kind_with_a_size_are_refused_too(folder: Path, tmp_path: Path, monkeypatch) -> None:
    """In sysfs every file has 4,096 bytes."""
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "model.txt").write_text("a processor")
    monkeypatch.setattr(find_text, "KERNEL", (str(tmp_path / "sys"),))
    (folder / "x.txt").symlink_to(tmp_path / "sys" / "model.txt")
    assert f"{folder / 'x.txt'} stands for {tmp_path / 'sys' / 'model.txt'}, which is made by the kernel" in refusal(
        folder
    )
    assert refusal(tmp_path / "sys") == (
        f"{tmp_path / 'sys'} is made by the kernel as it is read, no kept file: remove it, or copy into a file what is "
        "to be learnt"
    )


@needs_proc
def test_a_file_that_says_it_is_empty_and_is_not_is_refused_wherever_it_lies(folder: Path, monkeypatch) -> None:
    """Procfs mounted at another place, as in a container."""
    monkeypatch.setattr(find_text, "KERNEL", ())
    (folder / "x.txt").symlink_to(ENVIRON)
    assert f"{folder / 'x.txt'} says that it is empty and gives bytes" in refusal(folder)
    assert f"{folder / 'x.txt'} says that it is empty and gives bytes" in refusal(folder / "x.txt")


def test_files_and_folders_whose_names_only_begin_alike_are_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(find_text, "KERNEL", (str(tmp_path / "proc"),))
    (tmp_path / "processed").mkdir()
    (tmp_path / "processed" / "a.txt").write_text("a")
    assert len(text.source_at(tmp_path / "processed").files) == 1
