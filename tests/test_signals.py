"""Signals to a real campaign, at each of its stages: to the whole process group, as a terminal sends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from results import load

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]
PATIENCE_SECONDS = 240.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started = []

    def start(*more: str, **options) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tuner.run", *more, "--results", str(tmp_path / "runs")]
        output = (tmp_path / f"output-{len(started)}").open("w")
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options
        )
        output.close()
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def campaign(steps: int) -> list[str]:
    command = "--space parameter_golf --scale proxy --no-audit --no-confirm --trials 2 --concurrent 1 --stopper none"
    return [*command.split(), "--name", "cut", "--set", f"budget.steps={steps}"]


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None and time.monotonic() < until, process.poll()
        time.sleep(0.05)


def ended(process: subprocess.Popen[str], tmp_path: Path, number: int = 0) -> tuple[int, list[str]]:
    code = process.wait(PATIENCE_SECONDS)
    return code, (tmp_path / f"output-{number}").read_text().splitlines()


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def trains(folder: Path) -> bool:
    """Whether a trial has reported."""
    try:
        return len(load(folder).reports) > 0
    except (ValueError, OSError):
        return False


@pytest.mark.parametrize("number", SIGNALS)
def test_trials_write_their_checkpoints_before_a_signal_to_the_group_ends_the_campaign(
    number: signal.Signals, start, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "cut"
    process = start(*campaign(3000), "--reports", "100")
    wait_for(lambda: trains(folder), process)
    children = family(process)
    os.killpg(process.pid, number)
    code, lines = ended(process, tmp_path)
    assert code == 128 + number
    assert lines[-1].startswith("ended early (interrupted). Go on with: python -m tuner.run --resume cut --results ")
    row = load(folder).trials.iloc[0]
    assert row["status"] == "interrupted" and row["steps"] > 0 and (folder / row["checkpoint"]).is_file()
    psutil.wait_procs(children, timeout=30)
    assert not [child for child in children if child.is_running()]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_ray_starts_is_one_line_and_leaves_nothing(number: signal.Signals, start, tmp_path) -> None:
    process = start(*campaign(3000))
    wait_for(lambda: "starting Ray ..." in (tmp_path / "output-0").read_text() and family(process), process)
    children = family(process)
    os.killpg(process.pid, number)
    code, lines = ended(process, tmp_path)
    assert code == 128 + number and lines[-2:] == ["starting Ray ...", "python -m tuner.run: interrupted"]
    assert not (tmp_path / "runs").exists()
    psutil.wait_procs(children, timeout=30)
    assert not [child for child in children if child.is_running()]


def test_a_second_signal_ends_at_once_and_says_how_to_go_on(start, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "cut"
    process = start(*campaign(3000), "--reports", "100")
    wait_for(lambda: trains(folder) and load(folder).trials["worker"].notna().any(), process)  # after its report
    worker = psutil.Process(int(load(folder).trials["worker"].dropna().iloc[0].rpartition(":")[2]))
    worker.suspend()  # its checkpoint does not come
    process.send_signal(signal.SIGTERM)
    wait_for(lambda: (folder / ".stop").exists(), process)
    process.send_signal(signal.SIGTERM)
    code, lines = ended(process, tmp_path)
    with suppress(psutil.NoSuchProcess):
        worker.resume()
    assert code == 143
    said = "python -m tuner.run: interrupted again: ended without the checkpoints that were awaited. Go on with: "
    assert lines[-1].startswith(f"{said}python -m tuner.run --resume cut")


def test_nohup_outlives_the_end_of_its_terminal(start, tmp_path: Path) -> None:
    process = start(*campaign(20), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for(lambda: trains(tmp_path / "runs" / "cut"), process)
    os.killpg(process.pid, signal.SIGHUP)
    code, _ = ended(process, tmp_path)
    assert code == 0 and load(tmp_path / "runs" / "cut").trials["status"].tolist() == ["completed"] * 2


def test_a_search_into_a_pipe_that_nobody_reads_any_more_goes_on_to_its_end(start, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tuner.run", *campaign(2), "--results", str(tmp_path / "runs")]
    with (tmp_path / "err").open("w") as err:
        search = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=err)
        assert search.stdout is not None
        search.stdout.readline()
        search.stdout.close()
        assert search.wait(PATIENCE_SECONDS) == 0
    said = "python -m tuner.run: standard output cannot be written: Broken pipe; the work goes on, and prints no more\n"
    assert (tmp_path / "err").read_text() == said
    assert load(tmp_path / "runs" / "cut").trials["status"].tolist() == ["completed"] * 2
