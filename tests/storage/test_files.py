"""The same promises on a disk, in memory (fsspec) and in a bucket (pyarrow's S3, over HTTP)."""

from __future__ import annotations

import os
import threading

import pytest

from storage import files, inside, remote
from storage.location import Url, location


def test_many_files_are_read_at_once_and_one_that_is_missing_is_an_error_in_its_place(folder) -> None:
    paths = [folder / f"{number}" for number in range(5)]
    for path in paths[:3]:
        inside.write(folder, path.name, path.name.encode())
    found = list(files.read_all(paths))
    assert found[:3] == [b"0", b"1", b"2"] and all(isinstance(error, FileNotFoundError) for error in found[3:])


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
    with pytest.raises(ValueError, match=r"oss:// cannot be used here: .*ossfs"):
        files.read(location("oss://folder/file"))
    with pytest.raises(ValueError, match="s4:// is no known kind of storage"):
        files.read(Url("s4://folder/file"))


def test_an_error_of_a_store_loses_what_may_be_signed() -> None:
    url = location("memory://a/b")
    with pytest.raises(OSError) as error, remote.failing_as_oserror(url):
        raise RuntimeError("403: https://host/b?sig=hidden&x=1 refused\nand more")
    assert str(error.value) == "memory://a/b: 403: https://host/b refused"


def test_a_pipe_or_device_is_no_file_and_nothing_waits_for_it(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "link", "endless"):
        with pytest.raises(OSError, match="it is no file"):
            files.read(tmp_path / name)
        with pytest.raises(OSError, match="it is no file"), files.local_copy(tmp_path / name):
            pass
    with pytest.raises(OSError, match="it is a folder"):
        files.read(tmp_path)


def test_a_link_to_a_file_is_read(tmp_path) -> None:
    """Caches and data sets under version control are made of such links."""
    (tmp_path / "blob").write_bytes(b"rows")
    (tmp_path / "file").symlink_to("blob")
    assert files.read(tmp_path / "file") == b"rows"


def test_of_two_that_make_a_folder_at_once_one_has_made_it(tmp_path) -> None:
    said: list[bool] = []
    at_once = threading.Barrier(8)

    def make() -> None:
        at_once.wait()
        said.append(files.create_folder(tmp_path / "a" / "b"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [False] * 7 + [True]
