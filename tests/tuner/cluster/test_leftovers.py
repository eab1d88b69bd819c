from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.quick_reaper import quick_reaper
from tuner.cluster import leftovers
from tuner.cluster.leftovers import RECORD, OwnRayRecord, clean, identity, living

NOBODY = (2**22 + 5, 1.0)  # above the largest id


@pytest.fixture
def sleeper():
    """Start processes that only wait."""
    started = []

    def start(ignores_term: bool = False) -> tuple[int, float]:
        code = "import signal, time; " + "signal.signal(15, 1); " * ignores_term + "print(flush=True); time.sleep(600)"
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        process.stdout.readline()
        started.append(process)
        return identity(process.pid)

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def left(tmp_path):
    """A folder that a Ray of ours has left."""

    def folder(processes, driver=NOBODY, name="tuner-abcdefgh", **others) -> Path:
        path = tmp_path / name
        path.mkdir()
        OwnRayRecord(driver, processes=processes, **others).write(path)
        return path

    return folder


def test_what_a_dead_driver_has_left_is_ended_and_removed_in_one_line(left, sleeper, tmp_path) -> None:
    first, second = sleeper(), sleeper()
    folder = left([first, second, NOBODY])
    assert clean([tmp_path]) == [
        f"an earlier run was killed (process {NOBODY[0]}): ended 2 Ray processes and removed {folder}"
    ]
    assert not living([first, second]) and not folder.exists()
    assert clean([tmp_path]) == []


def test_a_process_that_has_the_id_of_another_is_not_touched(left, sleeper, tmp_path) -> None:
    pid, start = sleeper()
    left([(pid, start - 100)])
    clean([tmp_path])
    assert living([(pid, start)])


@pytest.mark.parametrize("whose", ["of a living driver", "of a living reaper", "of another machine", "of a container"])
def test_what_is_not_ours_to_end_is_not_touched(left, sleeper, tmp_path, whose) -> None:
    process, me = sleeper(), identity(os.getpid())
    others = {
        "of a living driver": {"driver": me},
        "of a living reaper": {"reaper": me},
        "of another machine": {"host": "elsewhere"},
        "of a container": {"pid_namespace": "pid:[1]"},
    }[whose]
    folder = left([process], **others)
    dead = f"an earlier run was killed (process {NOBODY[0]}): what is left of its Ray is being ended"
    assert clean([tmp_path]) == ([dead] if whose == "of a living reaper" else [])
    assert living([process]) and folder.exists()


@pytest.mark.parametrize("kind", ["link", "other name", "no record", "junk", "file"])
def test_folders_that_are_not_ours_stay(left, sleeper, tmp_path, kind) -> None:
    process = sleeper()
    if kind == "link":
        real = left([process], name="elsewhere")
        (tmp_path / "tuner-abcdefgh").symlink_to(real)
    elif kind == "other name":
        left([process], name="tuner-mine")
    elif kind == "file":
        (tmp_path / "tuner-abcdefgh").write_text("")
    else:
        folder = left([process])
        (folder / RECORD).unlink()
        if kind == "junk":
            (folder / RECORD).write_text('{"driver": [[1]], "processes": "x"}')
    assert clean([tmp_path, tmp_path / "nowhere"]) == []
    assert living([process]) and len(list(tmp_path.iterdir())) >= 1


def test_a_process_that_does_not_heed_sigterm_is_killed(sleeper, monkeypatch) -> None:
    monkeypatch.setattr(leftovers, "TERM_SECONDS", 0.2)
    stubborn = sleeper(ignores_term=True)
    assert leftovers.end([stubborn]) == [stubborn[0]]
    until = time.monotonic() + 10
    while living([stubborn]) and time.monotonic() < until:
        time.sleep(0.01)
    assert not living([stubborn])


DRIVER = """
import subprocess, sys, time
from pathlib import Path
from tuner.cluster import leftovers
folder, leftovers.__file__ = Path(sys.argv[1]), sys.argv[2]
leftovers.OwnRayRecord(leftovers.identity(__import__("os").getpid())).write(folder)
reaper = leftovers.start_reaper(folder)
mark = {**__import__("os").environ, leftovers.MARK: folder.name}
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env=mark)
print(worker.pid, reaper.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def driver(tmp_path):
    """A driver with a process that stays behind, and a reaper that has seen it."""
    folder = tmp_path / "tuner-abcdefgh"
    folder.mkdir()
    root = str(Path(leftovers.__file__).parents[2])
    command = [sys.executable, "-c", DRIVER, str(folder), str(quick_reaper(tmp_path))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True)
    worker, reaper = map(int, process.stdout.readline().split())
    identities = identity(worker), identity(reaper)
    until = time.monotonic() + 30
    while worker not in dict(json.loads((folder / RECORD).read_text())["processes"]) and time.monotonic() < until:
        time.sleep(0.05)
    yield process, *identities, folder
    process.kill()
    process.wait()
    process.stdout.close()
    leftovers.end(identities)


def wait_until_gone(*identities) -> bool:
    until = time.monotonic() + 30
    while living(identities) and time.monotonic() < until:
        time.sleep(0.05)
    return not living(identities)


def test_the_reaper_ends_what_a_killed_driver_leaves(driver) -> None:
    process, worker, reaper, folder = driver
    process.kill()
    process.wait()
    assert wait_until_gone(worker, reaper)
    assert not folder.exists()


def test_where_the_reaper_was_killed_too_the_next_command_does_its_work(driver) -> None:
    process, worker, reaper, folder = driver
    psutil.Process(reaper[0]).kill()
    wait_until_gone(reaper)
    process.kill()
    process.wait()
    assert living([worker])
    (line,) = clean([folder.parent])
    assert "ended 1 Ray process and removed" in line
    assert wait_until_gone(worker) and not folder.exists()


def test_the_terminals_signals_do_not_reach_the_reaper(driver) -> None:
    _, _, reaper, _ = driver
    assert os.getsid(reaper[0]) != os.getsid(0)
