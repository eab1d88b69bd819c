"""A campaign has one driver, whatever becomes of its lock's file, its folder, or the file system's locks."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import files
from tuner import status
from tuner.campaign import driver, lock, object_store_lock
from tuner.campaign.driver import only_driver
from tuner.campaign.lock import BusyError, Lock

HOLDS = """
import sys
from pathlib import Path
from tuner.campaign.lock import Lock
held = Lock(Path(sys.argv[1]), print)
held.take()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the campaign in ``tmp_path``, until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.communicate()


def now() -> datetime:
    return datetime.now(UTC)


def test_a_second_driver_is_refused_until_the_first_has_ended(tmp_path, other) -> None:
    assert status.driver_lives(tmp_path, now())
    with pytest.raises(BusyError, match="is being run by another process"), only_driver(tmp_path):
        pass
    other.communicate()
    assert not status.driver_lives(tmp_path, now())
    with only_driver(tmp_path):
        assert status.driver_lives(tmp_path, now())


@pytest.mark.parametrize("put", [lambda path: None, Path.touch], ids=["removed", "replaced"])
def test_a_lock_that_was_taken_away_is_taken_anew(tmp_path, put) -> None:
    with only_driver(tmp_path):
        (tmp_path / lock.NAME).unlink()
        put(tmp_path / lock.NAME)
        assert not status.driver_lives(tmp_path, now())
        lock.check(tmp_path)
        assert status.driver_lives(tmp_path, now())


def test_where_another_took_the_new_lock_first_this_one_ends_with_one_line_and_writes_nothing(
    bench, monkeypatch, capsys
) -> None:
    class EndedError(Exception):
        pass

    def end(code: int) -> None:
        assert code == 1
        raise EndedError

    monkeypatch.setattr(driver.os, "_exit", end)
    search = bench.search(trials=2, slots=2)
    with only_driver(bench.folder):
        first = search.next()
        search.start(first.key)
        before = {path: path.read_bytes() for path in bench.folder.rglob("*") if path.is_file()}
        (bench.folder / lock.NAME).unlink()
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDS, str(bench.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        for act in (search.next, lambda: search.fail(first.key, "RuntimeError: made up"), search.check_held):
            with pytest.raises(EndedError):
                act()
            said = capsys.readouterr().err
            assert "another process drives campaign" in said and said.count("\n") == 1
        process.communicate()
    changed = {p for p in bench.folder.rglob("*") if p.is_file() and before.get(p) != p.read_bytes()}
    assert {p.relative_to(bench.folder).parts[0] for p in changed} <= {"optuna.journal"}


@pytest.mark.parametrize("then", [lambda path: None, Path.mkdir], ids=["renamed", "another in its place"])
def test_a_folder_that_was_renamed_is_noticed_and_nothing_is_made_in_its_place(bench, result_of, then) -> None:
    search = bench.search(trials=1)
    with only_driver(bench.folder):
        request = search.next()
        search.start(request.key)
        bench.folder.rename(bench.folder.with_name("renamed"))
        then(bench.folder)
        for act in (
            search.check_held,
            lambda: search.report(request.key, result_of(bench.base, 60.0, 2.0, "running")),
            lambda: search.die(request.key, "RuntimeError: made up"),
        ):
            with pytest.raises(FileNotFoundError, match="renamed or removed"):
                act()
        with pytest.raises(OSError):
            search.abandon()
    assert not bench.folder.exists() or list(bench.folder.iterdir()) == []


def test_a_link_or_pipe_as_a_lock_is_not_followed_or_waited_for(tmp_path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name, make in (("a", lambda path: path.symlink_to(precious)), ("b", os.mkfifo)):
        (tmp_path / name).mkdir()
        make(tmp_path / name / lock.NAME)
        assert status.driver_lives(tmp_path / name, now()) is False
    with pytest.raises(ValueError, match="cannot be written"), only_driver(tmp_path / "a"):
        pass
    assert precious.read_text() == "precious"


@pytest.fixture(params=(errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK), ids=errno.errorcode.get)
def no_locks(request, monkeypatch) -> str:
    """A file system without locks, and what it answers."""

    def flock(file: int, kind: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(object_store_lock, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(object_store_lock, "WATCH_SECONDS", 0.5)
    return os.strerror(request.param)


def test_where_there_are_no_locks_a_lease_says_who_drives(tmp_path, no_locks, capsys) -> None:
    assert not status.driver_lives(tmp_path, now())
    with only_driver(tmp_path):
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and f"has no locks ({no_locks})" in said
        assert status.driver_lives(tmp_path, now())
        with pytest.raises(BusyError, match="is being run by another process"), only_driver(tmp_path):
            pass
    assert not status.driver_lives(tmp_path, now()) and not files.exists(tmp_path / object_store_lock.NAME)


def test_a_lease_that_a_killed_driver_left_is_taken_over(tmp_path, no_locks) -> None:
    object_store_lock.Lease(tmp_path, lambda why: None).beat()
    started = time.monotonic()
    with only_driver(tmp_path):
        assert time.monotonic() - started >= object_store_lock.WATCH_SECONDS


def test_a_lock_is_let_go_of_when_it_is_released(tmp_path) -> None:
    first, second = Lock(tmp_path, print), Lock(tmp_path, print)
    first.take()
    with pytest.raises(BusyError):
        second.take()
    first.release()
    second.take()
    second.release()
    lock.check(tmp_path)  # nobody holds it: that is another's question
