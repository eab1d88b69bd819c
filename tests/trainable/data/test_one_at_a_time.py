"""Data are prepared whole, whether or not the file system of the cache has locks."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import threading
import time
import warnings
from pathlib import Path

import pytest

from trainable.data import one_at_a_time, text_cache
from trainable.data.dataset import DataConfig
from trainable.data.preparation import prepare
from trainable.data.prepared_folder import ABANDONED_SECONDS, problem_of_files


@pytest.fixture
def config(tmp_path: Path) -> DataConfig:
    (tmp_path / "source").mkdir()
    for number in range(20):
        (tmp_path / "source" / f"{number}.txt").write_text(f"{number} some words that are here again and again. " * 9)
    return DataConfig(source=str(tmp_path / "source"), vocab_size=280, seq_len=4, batch_tokens=8)


@pytest.fixture(params=(errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK), ids=errno.errorcode.get)
def no_locks(request, monkeypatch) -> str:
    """A file system without locks, and what it answers."""

    def flock(file: int, kind: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)
    return os.strerror(request.param)


def test_without_locks_data_are_prepared_and_it_is_said_in_one_line(config, tmp_path, no_locks) -> None:
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = prepare(config, tmp_path / "cache", say=said.append)
    assert sum(f"has no locks ({no_locks})" in line for line in said) == 1
    (prepared,) = (tmp_path / "cache").iterdir()  # no lock's file, which would outlive a process that was killed
    assert not prepared.name.endswith(".lock")
    said.clear()
    assert prepare(config, tmp_path / "cache", say=said.append).fingerprint == dataset.fingerprint and said == []


def test_another_error_of_the_file_system_is_no_lack_of_locks(config, tmp_path, monkeypatch) -> None:
    def flock(file: int, kind: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(ValueError, match=r"cannot write to the cache .*\(Input/output error\): set TUNER_CACHE"):
        prepare(config, tmp_path / "cache")


@pytest.mark.parametrize("damaged", [False, True])
def test_of_two_that_prepare_at_once_without_locks_both_have_the_whole_data(
    config, tmp_path, no_locks, monkeypatch, damaged
) -> None:
    cache, write, others = tmp_path / "cache", text_cache._write_text, list[str]()
    if damaged:
        prepare(config, cache)
        next(cache.glob("text-*/data.json")).write_text("{}")

    def write_while_another_does(*given) -> None:
        if not others:
            others.append("begun")
            others.append(prepare(config, cache).fingerprint)
        write(*given)

    monkeypatch.setattr(text_cache, "_write_text", write_while_another_does)
    assert prepare(config, cache).fingerprint == others[1]
    (prepared,) = cache.glob("text-*")  # no half-written one is left
    assert problem_of_files(prepared) is None


def test_without_locks_only_old_half_written_folders_are_removed(config, tmp_path, no_locks) -> None:
    cache = tmp_path / "cache"
    prepare(config, cache)
    (prepared,) = cache.iterdir()
    old, slow, new = (cache / f"{prepared.name}.partial-{number}" for number in range(3))
    for folder in (old, slow, new):
        folder.mkdir()
        (folder / "text_train_000000.bin").write_bytes(b"half")
    long_ago = time.time() - ABANDONED_SECONDS - 60
    for path in (old / "text_train_000000.bin", old, slow):  # in the second a file is still being written
        os.utime(path, (long_ago, long_ago))
    shutil.rmtree(prepared)
    prepare(config, cache)
    assert sorted(cache.iterdir()) == sorted([prepared, slow, new])


def test_with_locks_every_half_written_folder_is_removed(config, tmp_path) -> None:
    cache = tmp_path / "cache"
    prepare(config, cache)
    (prepared,) = cache.iterdir()
    shutil.rmtree(prepared)
    (cache / f"{prepared.name}.partial-0").mkdir()
    prepare(config, cache)
    assert [*cache.iterdir()] == [prepared]


def test_the_lock_is_held_in_the_block_and_its_file_is_gone_after_it(tmp_path) -> None:
    with one_at_a_time.one_at_a_time(tmp_path, "thing", print) as alone:
        assert alone
        with (tmp_path / "thing.lock").open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not [*tmp_path.iterdir()]


def test_of_many_that_wait_for_a_lock_whose_file_goes_one_at_a_time_holds_it(tmp_path) -> None:
    inside, most, said = 0, list[int](), list[str]()

    def hold() -> None:
        nonlocal inside
        for _ in range(20):
            with one_at_a_time.one_at_a_time(tmp_path, "thing", said.append):
                inside += 1
                most.append(inside)
                until = time.monotonic() + 60
                while not said and time.monotonic() < until:  # the first is not through before another waits
                    time.sleep(0.001)
                time.sleep(0.0005)  # long enough for others to open the file that is removed behind it
                inside -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80 and set(said) == {"waiting for another process that prepares thing"}
    assert not [*tmp_path.iterdir()]


def test_folders_that_were_made_for_what_failed_are_gone_and_those_that_were_there_stay(tmp_path) -> None:
    (tmp_path / "there").mkdir()
    for cache in (tmp_path / "there", tmp_path / "new" / "cache"):
        with pytest.raises(ValueError, match="no such thing"), one_at_a_time.one_at_a_time(cache, "thing", print):
            raise ValueError("no such thing")
    assert [*tmp_path.iterdir()] == [tmp_path / "there"]
    with one_at_a_time.one_at_a_time(tmp_path / "new", "thing", print):
        (tmp_path / "new" / "thing").write_text("it came of it")
    assert [*(tmp_path / "new").iterdir()] == [tmp_path / "new" / "thing"]
