"""Whatever lies in a folder, nothing outside it is changed; the same promises on a disk, in memory and in a bucket."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from storage import files, inside


def test_a_file_is_written_read_replaced_and_removed(folder) -> None:
    name, file = "a/file.txt", folder / "a" / "file.txt"
    assert not files.exists(file) and not files.is_file(file) and files.names(folder / "a") == []
    with pytest.raises(FileNotFoundError):
        files.read(file)
    for content in (b"first", b"", b"second"):
        inside.write(folder, name, content)
        assert files.read(file) == content
    assert files.is_file(file) and files.exists(folder) and not files.is_file(folder)
    assert files.names(folder) == ["a"] and files.names(folder / "a") == ["file.txt"]
    if str(folder).startswith("memory"):
        assert files.modified(file) == 0.0, "it keeps no times"
    else:
        assert files.modified(file) > 1.7e9
    inside.remove(folder, name)
    inside.remove(folder, name)
    assert not files.exists(file)


def test_hidden_names_are_not_listed(folder) -> None:
    inside.write(folder, ".stop", b"")
    inside.write(folder, "seen", b"")
    assert files.names(folder) == ["seen"] and files.exists(folder / ".stop")


def test_a_file_of_many_bytes_is_replaced_by_one_that_was_written_here(folder) -> None:
    content = os.urandom(3_000_000)
    with inside.replacing(folder, "large") as local:
        local.write_bytes(content)
        assert not files.exists(folder / "large")
    assert files.read(folder / "large") == content
    with files.local_copy(folder / "large") as copy:
        assert copy.read_bytes() == content


def test_what_fails_while_it_is_written_leaves_the_old_file(folder) -> None:
    inside.write(folder, "file", b"old")
    with pytest.raises(RuntimeError), inside.replacing(folder, "file") as local:
        local.write_bytes(b"half")
        raise RuntimeError
    assert files.read(folder / "file") == b"old" and files.names(folder) == ["file"]


def test_a_file_is_renamed_below_its_folder(folder) -> None:
    inside.write(folder, "a/b/file", b"x")
    inside.rename(folder, "a/b/file", "a/b/.aside")
    assert files.read(folder / "a" / "b" / ".aside") == b"x" and not files.exists(folder / "a" / "b" / "file")


def test_of_a_folder_only_our_own_files_are_removed(folder) -> None:
    for name in ("ours-1", "ours-2", "notes.txt"):
        inside.write(folder, f"a/b/{name}", b"x")
    inside.remove_files(folder, "a/b", lambda name: name.startswith("ours"))
    assert files.names(folder / "a" / "b") == ["notes.txt"]
    inside.remove(folder, "a/b/notes.txt")
    inside.write(folder, "a/b/ours-3", b"x")
    inside.remove_files(folder, "a/b", lambda name: name.startswith("ours"))
    inside.remove_files(folder, "a/b", lambda name: name.startswith("ours"))
    assert not files.exists(folder / "a" / "b")


def test_what_a_killed_writer_left_is_removed_with_the_file_that_it_was_for(tmp_path) -> None:
    for name in (".ours.0123abcd", ".notes.0123abcd", ".ours"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "a").mkdir()
    for file in tmp_path.glob(".*"):
        file.rename(tmp_path / "a" / file.name)
    inside.remove_files(tmp_path, "a", lambda name: name == "ours")
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [".notes.0123abcd", ".ours"]


@pytest.mark.parametrize("within", ["", "a/b"])
def test_of_our_own_files_only_what_killed_writers_left_is_removed(tmp_path, within) -> None:
    theirs = [".ours.0123abcd.txt", ".ours.0123ABCD", ".ours", ".notes.0123abcd", "ours", "ours.0123abcd"]
    (tmp_path / within).mkdir(parents=True, exist_ok=True)
    for name in (".ours.0123abcd", ".ours.ffffffff", *theirs):
        (tmp_path / within / name).write_bytes(b"half")
    (tmp_path / within / ".ours.00000000").mkdir()
    (tmp_path / within / ".ours.00000001").symlink_to(tmp_path)
    inside.remove_half_written(tmp_path, within, lambda name: name == "ours")
    inside.remove_half_written(tmp_path, "absent", lambda name: True)
    left = {path.name for path in (tmp_path / within).iterdir()} - {"a"}
    assert left == {*theirs, ".ours.00000000", ".ours.00000001"}


@pytest.mark.parametrize("linked", ["a", "a/b"])
def test_what_killed_writers_left_is_not_removed_through_a_link(tmp_path, linked) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (theirs / "a" / "b").mkdir(parents=True)
    (theirs / "a" / "b" / ".file.0123abcd").write_bytes(b"precious")
    (ours / linked).parent.mkdir(parents=True)
    (ours / linked).symlink_to(theirs / linked)
    with pytest.raises(NotADirectoryError, match="a link lies where a campaign has a folder"):
        inside.remove_half_written(ours, "a/b", lambda name: True)
    assert (theirs / "a" / "b" / ".file.0123abcd").read_bytes() == b"precious"


CHANGES = {
    "write": lambda folder: inside.write(folder, "a/b/file", b"new"),
    "replace": lambda folder: replaced(folder),
    "new file": lambda folder: os.close(inside.new_file(folder, "a/b/file")),
    "rename": lambda folder: inside.rename(folder, "a/b/file", "a/b/other"),
    "remove": lambda folder: inside.remove(folder, "a/b/file"),
    "remove files": lambda folder: inside.remove_files(folder, "a/b", lambda name: True),
}


def replaced(folder: Path) -> None:
    with inside.replacing(folder, "a/b/file") as file:
        file.write_bytes(b"new")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("linked", ["a", "a/b", "a/b/file"])
def test_nothing_is_changed_through_a_link(tmp_path, change, linked) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (theirs / "a" / "b").mkdir(parents=True)
    (theirs / "a" / "b" / "file").write_bytes(b"precious")
    (ours / linked).parent.mkdir(parents=True)
    (ours / linked).symlink_to(theirs / linked)
    if (change, linked) == ("remove files", "a/b/file"):
        CHANGES[change](ours)
    else:
        with pytest.raises(OSError, match="a link lies where a campaign has a") as refused:
            CHANGES[change](ours)
        assert refused.value.filename == str(ours / linked)
    assert [p.relative_to(theirs).as_posix() for p in sorted(theirs.rglob("*"))] == ["a", "a/b", "a/b/file"]
    assert (theirs / "a" / "b" / "file").read_bytes() == b"precious" and (ours / linked).is_symlink()


@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_that_is_itself_reached_by_a_link_is_its_owners(tmp_path, change) -> None:
    (tmp_path / "disk" / "a" / "b").mkdir(parents=True)
    (tmp_path / "disk" / "a" / "b" / "file").write_bytes(b"old")
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    CHANGES[change](tmp_path / "runs")
    there = tmp_path / "disk" / "a" / "b"
    found = {p.name: p.read_bytes() for p in there.iterdir()} if there.is_dir() else {}
    assert found == {
        "write": {"file": b"new"},
        "replace": {"file": b"new"},
        "new file": {"file": b""},
        "rename": {"other": b"old"},
        "remove": {},
        "remove files": {},
    }.get(change)


@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_that_is_gone_is_not_made_anew(tmp_path, change) -> None:
    if change.startswith("remove"):
        CHANGES[change](tmp_path / "gone")
    else:
        with pytest.raises(FileNotFoundError, match="renamed or removed"):
            CHANGES[change](tmp_path / "gone")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_not_replaced_and_nothing_waits_for_it(tmp_path, make) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    make(tmp_path / "a" / "b" / "file")
    for name in set(CHANGES) - {"remove files"}:
        with pytest.raises(OSError, match=r"a (pipe|folder) lies where a campaign has a file"):
            CHANGES[name](tmp_path)
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["file"]


def test_a_new_file_leaves_another_name_of_the_old_one_as_it_was(tmp_path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    os.link(tmp_path / "precious", tmp_path / "file")
    os.close(inside.new_file(tmp_path, "file"))
    assert (tmp_path / "precious").read_bytes() == b"precious" and (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../x", "a//x", "a/", ".", "a\0"])
def test_a_name_that_leads_out_is_none(tmp_path, name) -> None:
    with pytest.raises(ValueError, match="is no path below"):
        inside.write(tmp_path, name, b"x")
    assert list(tmp_path.iterdir()) == []


def listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path.relative_to(Path.cwd())))  # a socket's path is short


def test_a_folder_with_links_pipes_or_devices_is_no_campaigns(tmp_path) -> None:
    (tmp_path / "a" / ".b").mkdir(parents=True)
    (tmp_path / "a" / ".b" / "file").write_bytes(b"")
    inside.check_plain(tmp_path)
    for make, kind in (
        (lambda path: path.symlink_to("/nowhere"), "a link"),
        (lambda path: path.symlink_to("file"), "a link"),
        (os.mkfifo, "a pipe"),
        (listen, "a socket"),
    ):
        found = tmp_path / "a" / ".b" / "x"
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            make(found)
        with pytest.raises(ValueError, match=f"x is {kind}: a campaign's folder holds only files and folders"):
            inside.check_plain(tmp_path)
        inside.check_plain(tmp_path, but=["a/.b/x"])
        found.unlink()
