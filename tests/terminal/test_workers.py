"""Workers of a program that is ended by signals, in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from terminal.workers import Workers

ROOT = Path(__file__).parents[2]
PROGRAM = """
from terminal import program
if __name__ == "__main__":
    program.begin("program")
import os, sys, time
from pathlib import Path
from terminal.workers import Workers

def work(number):
    (Path(sys.argv[1]) / str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    with Workers(2) as workers:
        list(workers.map(work, range(5)))
"""


def wait_until(condition) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def program(tmp_path: Path):
    """A program with two workers, each of which has begun to work; and its standard error."""
    script, seen = tmp_path / "program.py", tmp_path / "seen"
    script.write_text(PROGRAM)
    seen.mkdir()
    with (tmp_path / "err").open("w") as err:
        started = subprocess.Popen(
            [sys.executable, str(script), str(seen)], stderr=err, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    yield started, seen, tmp_path / "err"
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def family(started: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(started.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


@pytest.mark.parametrize("whom", ["the group", "the program"])
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_one_line_and_ends_program_and_workers(program, number: signal.Signals, whom: str) -> None:
    started, seen, err = program
    wait_until(lambda: len(list(seen.iterdir())) == 2)
    processes = family(started)
    assert len(processes) >= 2
    (os.killpg if whom == "the group" else os.kill)(started.pid, number)
    assert started.wait(120) == 128 + number
    wait_until(lambda: gone(processes))
    assert err.read_text() == "program: interrupted\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_group_while_workers_load_is_one_line(program, number: signal.Signals) -> None:
    started, _, err = program
    wait_until(lambda: len(family(started)) >= 2)
    processes = family(started)
    os.killpg(started.pid, number)
    assert started.wait(120) == 128 + number
    wait_until(lambda: gone(processes))
    assert err.read_text() == "program: interrupted\n"


def test_workers_of_a_program_that_is_killed_end_with_it(program) -> None:
    started, seen, err = program
    wait_until(lambda: len(list(seen.iterdir())) == 2)
    processes = family(started)
    started.kill()
    started.wait()
    wait_until(lambda: gone(processes))
    assert err.read_text() == ""


def test_what_a_worker_raises_ends_the_pool_without_waiting_for_the_others() -> None:
    with pytest.raises(ZeroDivisionError), Workers(2) as workers:
        left = workers.submit(time.sleep, 600)
        workers.submit(divmod, 1, 0).result()
    assert not left.done() or left.exception() is not None


def test_results_come_back_and_each_worker_is_prepared(tmp_path: Path) -> None:
    with Workers(1, prepare=(tmp_path / "prepared").touch) as workers:
        assert list(workers.map(abs, [-1, 2])) == [1, 2]
    assert (tmp_path / "prepared").exists()
