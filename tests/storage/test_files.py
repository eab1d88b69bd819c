"""The same promises on a disk, in memory (fsspec) and in a bucket (pyarrow's S3, over HTTP)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from storage import files, remote
from storage.location import Location, location


@pytest.fixture(params=["disk", "memory", "bucket"])
def folder(request, tmp_path) -> Iterator[Location]:
    if request.param == "disk":
        return tmp_path / "runs"
    if request.param == "memory":
        return location(f"memory://{uuid.uuid4().hex}/runs")
    request.getfixturevalue("bucket")
    return location(f"s3://bucket/{uuid.uuid4().hex}/runs")


def test_a_file_is_written_read_replaced_and_removed(folder) -> None:
    file = folder / "a" / "file.txt"
    assert not files.exists(file) and not files.is_file(file) and files.names(folder / "a") == []
    with pytest.raises(FileNotFoundError):
        files.read(file)
    for content in (b"first", b"", b"second"):
        files.write(file, content)
        assert files.read(file) == content
    assert files.is_file(file) and files.exists(folder) and not files.is_file(folder)
    assert files.names(folder) == ["a"] and files.names(folder / "a") == ["file.txt"]
    if str(folder).startswith("memory"):
        assert files.modified(file) == 0.0, "it keeps no times"
    else:
        assert files.modified(file) > 1.7e9
    files.remove(file)
    files.remove(file)
    assert not files.exists(file)


def test_hidden_names_are_not_listed(folder) -> None:
    files.write(folder / ".stop", b"")
    files.write(folder / "seen", b"")
    assert files.names(folder) == ["seen"] and files.exists(folder / ".stop")


def test_a_file_of_many_bytes_is_replaced_by_one_that_was_written_here(folder) -> None:
    content = os.urandom(3_000_000)
    with files.replacing(folder / "large") as local:
        local.write_bytes(content)
        assert not files.exists(folder / "large")
    assert files.read(folder / "large") == content
    with files.local_copy(folder / "large") as copy:
        assert copy.read_bytes() == content


def test_what_fails_while_it_is_written_leaves_the_old_file(folder) -> None:
    files.write(folder / "file", b"old")
    with pytest.raises(RuntimeError), files.replacing(folder / "file") as local:
        local.write_bytes(b"half")
        raise RuntimeError
    assert files.read(folder / "file") == b"old" and files.names(folder) == ["file"]


def test_many_files_are_read_at_once_and_one_that_is_missing_is_an_error_in_its_place(folder) -> None:
    paths = [folder / f"{number}" for number in range(5)]
    for path in paths[:3]:
        files.write(path, path.name.encode())
    found = list(files.read_all(paths))
    assert found[:3] == [b"0", b"1", b"2"] and all(isinstance(error, FileNotFoundError) for error in found[3:])


def test_a_file_is_renamed_and_a_folder_removed_with_all_in_it(folder) -> None:
    files.write(folder / "a" / "b" / "file", b"x")
    files.rename(folder / "a" / "b" / "file", folder / "a" / "b" / ".aside")
    assert files.read(folder / "a" / "b" / ".aside") == b"x" and not files.exists(folder / "a" / "b" / "file")
    files.remove_folder(folder / "a")
    files.remove_folder(folder / "a")
    assert files.names(folder) == [] and not files.exists(folder / "a" / "b" / ".aside")


def test_a_place_that_can_be_used_is_left_as_it_was(folder) -> None:
    files.check_usable(folder)
    assert files.names(folder) == []


def test_a_bucket_that_is_missing_closed_or_out_of_reach_is_one_line(bucket, monkeypatch) -> None:
    refusals = {}
    with pytest.raises(ValueError, match="cannot be used") as refusals["missing"]:
        files.check_usable(location("s3://other/runs"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    remote._s3.cache_clear()
    with pytest.raises(ValueError, match="cannot be used") as refusals["closed"]:
        files.check_usable(location("s3://bucket/runs"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(remote, "S3_ATTEMPTS", 1)
    remote._s3.cache_clear()
    with pytest.raises(ValueError, match="cannot be used") as refusals["out of reach"]:
        files.check_usable(location("s3://bucket/runs"))
    remote._s3.cache_clear()
    for (name, error), word in zip(refusals.items(), ("NO_SUCH_BUCKET", "ACCESS_DENIED", "connect"), strict=True):
        assert word in str(error.value), name
        assert "\n" not in str(error.value) and "made-up-secret" not in str(error.value), name


def test_a_protocol_that_needs_a_package_or_is_none_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"dropbox:// cannot be used here: .*dropbox"):
        files.read(location("dropbox://folder/file"))
    with pytest.raises(ValueError, match="s4:// is no known kind of storage"):
        files.read(location("s4://folder/file"))


def test_an_error_of_a_store_loses_what_may_be_signed() -> None:
    url = location("memory://a/b")
    with pytest.raises(OSError) as error, remote.failing_as_oserror(url):
        raise RuntimeError("403: https://host/b?sig=hidden&x=1 refused\nand more")
    assert str(error.value) == "memory://a/b: 403: https://host/b refused"
