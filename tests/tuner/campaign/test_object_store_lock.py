from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime

import pytest

from storage import files, inside
from storage.location import Url
from tuner import status
from tuner.campaign import driver, object_store_lock
from tuner.campaign.driver import only_driver
from tuner.campaign.object_store_lock import BusyError, Lease, is_fresh, leased


@pytest.fixture
def folder() -> Url:
    return Url(f"memory://{uuid.uuid4().hex}/night")


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(object_store_lock, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(object_store_lock, "WATCH_SECONDS", 0.3)


def unheard(why: str) -> None:
    raise AssertionError(why)


def test_a_held_campaign_is_refused_and_a_released_one_taken_at_once(folder, monkeypatch) -> None:
    with leased(folder, unheard):
        assert is_fresh(folder, time.time())
        with (
            pytest.raises(ValueError, match="'night' cannot be driven: it is being run by another process"),
            only_driver(folder),
        ):
            pass
    assert not files.exists(folder / object_store_lock.NAME) and not is_fresh(folder, time.time())
    monkeypatch.setattr(object_store_lock, "WATCH_SECONDS", 1e6)  # nothing to wait for
    with only_driver(folder):
        assert files.exists(folder / object_store_lock.NAME)


def test_one_that_a_killed_driver_left_is_taken_over_after_a_while(folder) -> None:
    Lease(folder, unheard).beat()
    with only_driver(folder):
        assert is_fresh(folder, time.time())
    inside.write(folder, object_store_lock.NAME, b"no JSON")
    with only_driver(folder):
        assert object_store_lock.holder(folder)["token"]


def test_a_driver_that_was_suspended_learns_that_it_is_no_longer_one_and_leaves_the_others_object(folder) -> None:
    told: list[str] = []
    with leased(folder, told.append):
        other = Lease(folder, unheard)
        other.beat()
        until = time.monotonic() + 20
        while not told and time.monotonic() < until:
            time.sleep(0.02)
    assert len(told) == 1 and "another process drives this campaign now" in told[0]
    assert object_store_lock.holder(folder)["token"] == other.token


def test_a_driver_whose_campaign_is_gone_learns_it_and_writes_nothing_in_its_place(folder) -> None:
    told: list[str] = []
    with leased(folder, told.append):
        inside.remove(folder, object_store_lock.NAME)
        until = time.monotonic() + 20
        while not told and time.monotonic() < until:
            time.sleep(0.02)
    assert len(told) == 1 and f"{folder}: the folder is no longer there" in told[0]
    assert not files.exists(folder / object_store_lock.NAME)


def test_such_a_driver_ends_at_once_and_says_why(monkeypatch, capsys) -> None:
    codes: list[int] = []
    monkeypatch.setattr(driver.os, "_exit", codes.append)
    driver._give_up("another process drives this campaign now (host:1)")
    assert codes == [1] and capsys.readouterr().err.count("\n") == 1


def test_two_that_begin_at_the_same_moment_do_not_both(folder, monkeypatch) -> None:
    first, second = Lease(folder, unheard), Lease(folder, unheard)
    write = inside.write

    def other_is_first(folder: Url, name: str, content: bytes) -> None:
        monkeypatch.setattr(inside, "write", write)
        second.take()
        write(folder, name, content)

    monkeypatch.setattr(inside, "write", other_is_first)
    with pytest.raises(BusyError, match="began at the same moment"):
        first.take()
    assert object_store_lock.holder(folder)["token"] == second.token


def test_the_status_tells_by_the_time_in_the_object_whether_a_driver_lives(folder) -> None:
    now = datetime.now(UTC)
    assert not status.driver_lives(folder, now)
    Lease(folder, unheard).beat()
    assert status.driver_lives(folder, now)
    inside.write(folder, object_store_lock.NAME, json.dumps({"at": now.timestamp() - 3600}).encode())
    assert not status.driver_lives(folder, now)


def test_a_store_that_cannot_be_written_is_one_line(folder, monkeypatch) -> None:
    def refuse(folder: Url, name: str, content: bytes) -> None:
        raise OSError(f"{folder / name}: no")

    monkeypatch.setattr(inside, "write", refuse)
    with pytest.raises(ValueError, match="cannot be written: memory://"), only_driver(folder):
        pass
