"""No process outlives its campaign: what a Ray of ours consists of is on record, and ended when its driver is dead.

Ray's processes share their driver's fate, but not all and not always (a killed raylet leaves its workers behind). So a
*reaper*, this file run as a program, stands beside every driver that starts a Ray: it writes down that Ray's processes
as they come, and ends them once the driver is gone. Where it was killed too, the next command of ours does it, from the
record.

A driver may have other children (a notebook's, a test's), which live on. A process is one of the Ray's if a *mark* is
in its environment, which only what Ray starts is given and hands down (also to who forks twice, and belongs to init
then), or if it descends from one of those. It is ended by its id **and** its start time, and only where its driver is
dead, of this user and of this machine. Nothing here imports Ray or the rest of the package.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

RECORD = "processes.json"  # in the folder of the Ray that it is about
MARK = "TUNER_OWN_RAY"  # in the environment of its processes: the folder's name, which no other Ray has
FOLDER = re.compile(r"tuner-[A-Za-z0-9_]{8}")
SAME_START_SECONDS = 1.0  # two processes of one id start further apart
LOOK_SECONDS = 1.0  # between two looks at the processes of this machine
SHARE = 0.02  # of a core that looking may take
GRACE_SECONDS = 5.0  # in which they end by themselves
TERM_SECONDS = 3.0  # between SIGTERM and SIGKILL
ROUNDS = 5  # of ending what is there: who is being ended may start others

Identity = tuple[int, float]  # of a process: its id, and when it started (seconds since 1970)


@dataclass
class OwnRayRecord:
    """Driver and processes of a Ray of ours. Ids mean something on one machine, in one namespace."""

    driver: Identity
    reaper: Identity | None = None
    processes: list[Identity] = field(default_factory=list)
    host: str = field(default_factory=socket.gethostname)
    pid_namespace: str = field(default_factory=lambda: pid_namespace())

    def write(self, folder: Path) -> None:
        """Replace the record in ``folder``."""
        new = folder / f"{RECORD}.{os.getpid()}"
        new.write_text(json.dumps(asdict(self)))
        new.replace(folder / RECORD)

    @classmethod
    def read(cls, folder: Path) -> OwnRayRecord | None:
        """The record in ``folder``; None where there is none, or none that is whole."""
        try:
            found = json.loads((folder / RECORD).read_text())
            record = cls(**found)
            record.driver = _identity(record.driver)
            record.reaper = None if record.reaper is None else _identity(record.reaper)
            record.processes = [_identity(one) for one in record.processes]
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return record

    @property
    def is_of_here(self) -> bool:
        return (self.host, self.pid_namespace) == (socket.gethostname(), pid_namespace())


def _identity(found: Sequence[float]) -> Identity:
    pid, start = found
    return int(pid), float(start)


def pid_namespace() -> str:
    """The namespace that process ids belong to; empty where the system has none."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def identity(pid: int) -> Identity | None:
    """None where there is no such process."""
    try:
        return pid, psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def living(processes: Iterable[Identity]) -> list[psutil.Process]:
    """Select the processes that still run: the id is in use, by one that started then."""
    found = []
    for pid, start in processes:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            same = abs(process.create_time() - start) < SAME_START_SECONDS
            if same and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end(processes: Iterable[Identity]) -> list[int]:
    """End those that still run, the gentle way first; returns their ids."""
    found = living(processes)
    for process in found:
        with suppress(psutil.Error):
            process.terminate()
    _, left = psutil.wait_procs(found, timeout=TERM_SECONDS)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=TERM_SECONDS)
    return [process.pid for process in found]


def family(folder: Path, known: Iterable[Identity]) -> list[Identity]:
    """The living processes of the Ray in ``folder``: those marked, those ``known``, and who descends from them.

    One look at all processes of the machine. On a system that does not tell the environment of some (macOS, of programs
    that it protects) they are found as descendants, if they were seen once before their parent was gone.
    """
    ours = {process.pid for process in living(known)}
    starts: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for pid in psutil.pids():
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            starts[pid] = process.create_time()
            children[process.ppid()].append(pid)
            if process.environ().get(MARK) == folder.name:
                ours.add(pid)
    to_follow = sorted(ours & starts.keys())
    found = set(to_follow)
    while to_follow:
        parent = to_follow.pop()
        born = [pid for pid in children[parent] if pid not in found and starts[pid] >= starts[parent]]
        found.update(born)
        to_follow += born
    return sorted((pid, starts[pid]) for pid in found - {os.getpid()})


def end_all(folder: Path, known: Iterable[Identity]) -> list[int]:
    """End the whole family of the Ray in ``folder``; returns the ids of those that ran."""
    ended: list[int] = []
    for _ in range(ROUNDS):
        known = family(folder, known)
        if not (now := end(known)):
            break
        ended += now
    return sorted(set(ended))


def clean(bases: Iterable[Path]) -> list[str]:
    """End what dead drivers of this user have left, and remove their folders below ``bases``; a line for each.

    Of a driver that has just died the reaper may be at it: it is left to that.
    """
    lines = []
    for folder in _folders(bases):
        record = OwnRayRecord.read(folder)
        if record is None or not record.is_of_here:
            continue
        if living([record.driver]):
            continue
        if record.reaper is not None and living([record.reaper]):
            lines.append(
                f"an earlier run was killed (process {record.driver[0]}): what is left of its Ray is being ended"
            )
            continue
        ended = end_all(folder, record.processes)
        shutil.rmtree(folder, ignore_errors=True)
        count = f"ended {len(ended)} Ray process{'es' * (len(ended) != 1)} and " if ended else ""
        lines.append(f"an earlier run was killed (process {record.driver[0]}): {count}removed {folder}")
    return lines


def _folders(bases: Iterable[Path]) -> list[Path]:
    """The folders of Rays of this user: real folders with a name of ours."""
    found = []
    for base in bases:
        with suppress(OSError):
            for path in sorted(base.iterdir()):
                if not FOLDER.fullmatch(path.name):
                    continue
                with suppress(OSError):
                    status = path.lstat()
                    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
                        found.append(path)
    return found


def start_reaper(folder: Path) -> subprocess.Popen[bytes]:
    """Start the reaper of the Ray in ``folder``, whose record names this process as the driver.

    It acts once a byte comes on its standard input, or this is closed, be it that this process has died. A session of
    its own keeps the terminal's signals from it.
    """
    return subprocess.Popen(
        [sys.executable, "-P", __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def reap(folder: Path) -> None:
    """Keep the record until the driver lets go or dies; then end what is left, and remove the folder."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    record = OwnRayRecord.read(folder)
    if record is None:
        return
    record.reaper = identity(os.getpid())
    record.write(folder)
    interval = LOOK_SECONDS
    while not select.select([sys.stdin], [], [], interval)[0] and living([record.driver]):
        started = time.monotonic()
        _see(record, folder)
        interval = max(LOOK_SECONDS, (time.monotonic() - started) / SHARE)
    _see(record, folder)
    until = time.monotonic() + GRACE_SECONDS
    while living(record.processes) and time.monotonic() < until:
        time.sleep(0.1)
    end_all(folder, record.processes)
    shutil.rmtree(folder, ignore_errors=True)


def _see(record: OwnRayRecord, folder: Path) -> None:
    """Write down of which processes the Ray consists now."""
    if (seen := family(folder, record.processes)) != record.processes:
        record.processes = seen
        with suppress(OSError):  # the reaper itself still knows
            record.write(folder)


if __name__ == "__main__":
    reap(Path(sys.argv[1]))
