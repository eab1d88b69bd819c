"""Who else a driver has started lives on: only the processes of its Ray are ended, wherever they have gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.quick_reaper import quick_reaper
from tuner.cluster import leftovers, ray_signals
from tuner.cluster.leftovers import MARK, RECORD, Identity, OwnRayRecord, clean, family, identity, living

ROOT = str(Path(leftovers.__file__).parents[2])
NOBODY = (2**22 + 5, 1.0)  # above the largest id
NAME = "tuner-qrstuvwx"  # of no other test: a Ray is found by it on the whole machine
SLEEP = "import time; time.sleep(600)"

# Plays a driver: what it starts unmarked is its own business; "worker" plays a raylet's worker, with a child that
# belongs to init, and one that cleared its environment. Prints each one's id by name, then ends when told how.
DRIVER = f"""
import json, os, subprocess, sys, time
from pathlib import Path
from tuner.cluster import leftovers, ray_signals
SLEEP = {SLEEP!r}
WORKER = '''
import json, os, subprocess, sys, time
sleep = [sys.executable, "-c", {SLEEP!r}]
twice = f"import subprocess; print(subprocess.Popen({{sleep}}, start_new_session=True, stdout=2).pid)"
orphan = int(subprocess.run([sys.executable, "-c", twice], stdout=subprocess.PIPE).stdout)
bare = subprocess.Popen(sleep, env={{}}, start_new_session=True).pid
print(json.dumps({{"orphan": orphan, "bare": bare}}), flush=True)
time.sleep(600)
'''
folder, leftovers.__file__ = Path(sys.argv[1]), sys.argv[2]
started = {{"before": subprocess.Popen([sys.executable, "-c", SLEEP]).pid}}
leftovers.OwnRayRecord(leftovers.identity(os.getpid())).write(folder)
reaper = leftovers.start_reaper(folder)
with ray_signals.own_sessions(folder.name):
    started["meanwhile"] = subprocess.Popen([sys.executable, "-c", SLEEP]).pid
    from ray._private import services
    worker = services.ConsolePopen([sys.executable, "-c", WORKER], env=dict(os.environ), stdout=subprocess.PIPE)
started |= {{"worker": worker.pid, "reaper": reaper.pid, **json.loads(worker.stdout.readline())}}
started["after"] = subprocess.Popen([sys.executable, "-c", SLEEP]).pid
if os.fork() == 0:
    time.sleep(600)  # holds the reaper's standard input open
print(json.dumps(started), flush=True)
sys.stdin.readline()
reaper.stdin.write(b".")
reaper.stdin.close()
print(reaper.wait(60), flush=True)
sys.stdin.readline()
"""
BYSTANDERS = ("before", "meanwhile", "after")
FAMILY = ("worker", "orphan", "bare")


def gone(*processes: Identity) -> bool:
    until = time.monotonic() + 60
    while living(processes) and time.monotonic() < until:
        time.sleep(0.05)
    return not living(processes)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], dict[str, Identity], Path]]]:
    """Start the driver and wait until its reaper has written down all that it is to end."""
    ended: list[Identity] = []
    drivers: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], dict[str, Identity], Path]:
        folder = tmp_path / NAME
        folder.mkdir()
        given, pipe = [str(folder), str(quick_reaper(tmp_path))], subprocess.PIPE
        command = [sys.executable, "-W", "ignore", "-c", DRIVER, *given]
        driver = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        drivers.append(driver)
        assert driver.stdout is not None
        found = {name: identity(pid) for name, pid in json.loads(driver.stdout.readline()).items()}
        known = {name: one for name, one in found.items() if one is not None}
        assert len(known) == len(found)
        children = [(one.pid, one.create_time()) for one in psutil.Process(driver.pid).children(recursive=True)]
        ended.extend([*known.values(), *children, (driver.pid, psutil.Process(driver.pid).create_time())])
        until = time.monotonic() + 60
        while not {known[name] for name in FAMILY} <= set(_recorded(folder)) and time.monotonic() < until:
            time.sleep(0.05)
        return driver, known, folder

    yield start
    for process in living(ended):
        process.kill()
    for driver in drivers:
        driver.wait()
        assert driver.stdin is not None and driver.stdout is not None
        driver.stdin.close()
        driver.stdout.close()


def _recorded(folder: Path) -> list[Identity]:
    record = OwnRayRecord.read(folder)
    return [] if record is None else record.processes


def check(known: dict[str, Identity]) -> None:
    assert gone(*(known[name] for name in FAMILY))
    assert len(living(known[name] for name in BYSTANDERS)) == len(BYSTANDERS)


def test_other_children_of_a_driver_outlive_the_end_of_its_ray(play) -> None:
    driver, known, folder = play()
    print(file=driver.stdin, flush=True)
    assert driver.stdout.readline() == "0\n", "the reaper has ended, though a fork of the driver holds its input open"
    check(known)
    assert not folder.exists()


def test_other_children_of_a_killed_driver_outlive_it(play) -> None:
    driver, known, folder = play()
    driver.kill()
    driver.wait()  # its pipes are not at their end: the others hold them
    assert gone(known["reaper"])
    check(known)
    assert not folder.exists()


def test_other_children_outlive_what_the_next_command_ends(play) -> None:
    driver, known, folder = play()
    psutil.Process(known["reaper"][0]).kill()
    assert gone(known["reaper"])
    driver.kill()
    driver.wait()
    (line,) = clean([folder.parent])
    assert "ended 3 Ray processes and removed" in line
    check(known)


def test_what_came_after_the_last_look_is_found_by_its_mark(tmp_path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    OwnRayRecord(NOBODY).write(folder)
    marked, other, plain = (
        subprocess.Popen([sys.executable, "-c", SLEEP], env={**os.environ, **more})
        for more in ({MARK: NAME}, {MARK: "tuner-12345678"}, {})
    )
    try:
        until = time.monotonic() + 60
        while not family(folder, []) and time.monotonic() < until:
            time.sleep(0.05)
        assert clean([tmp_path]) == [
            f"an earlier run was killed (process {NOBODY[0]}): ended 1 Ray process and removed {folder}"
        ]
        assert marked.poll() is not None
        assert other.poll() is plain.poll() is None
    finally:
        for process in (marked, other, plain):
            process.kill()
            process.wait()


def test_the_mark_is_in_no_environment_but_that_of_what_ray_starts() -> None:
    from ray._private import services

    before = services.ConsolePopen
    with ray_signals.own_sessions(NAME):
        assert MARK not in os.environ
        child = services.ConsolePopen(["env"], env={"A": "1"}, stdout=subprocess.PIPE, text=True)
        assert sorted(child.communicate()[0].split()) == ["A=1", f"{MARK}={NAME}"]
    assert services.ConsolePopen is before


def test_a_folder_without_a_name_of_ours_and_a_record_has_no_family(tmp_path) -> None:
    assert family(tmp_path / NAME, [NOBODY]) == []
    assert not (tmp_path / NAME / RECORD).exists()
