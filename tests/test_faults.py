"""Faults at random moments of a real campaign: the real command, Ray, its workers and a file system that fills up.

A replay is run once without trouble and once with it: the driver is killed, told to end, interrupted twice, and finds
the disk full; workers are killed, their checkpoints damaged. Resumed until nothing is left, both must end the same.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import results
from results import Store
from results.store.statuses import ENDED

pytestmark = pytest.mark.faults
NUMBERS = ["status", "value", "train_loss", "val_loss", "steps", "tokens", "config"]
SETTINGS = {
    "data.vocab_size": 300, "data.seq_len": 32, "data.batch_tokens": 256, "evaluation.tokens": 512,
    "evaluation.seq_len": 32, "budget.steps": 12,
}  # fmt: skip
COMMAND = [sys.executable, "-c", "import sys, injected_faults; sys.exit(injected_faults.main())"]
ROWS = "A?,H*,N?"
TO_THE_DRIVER = ("driver killed", "SIGTERM", "Ctrl-C twice", "disk full", "driver killed", "SIGTERM")
TIMEOUT = 300  # seconds for one start of the campaign
STALL_MINUTES = 0.5


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A file system that a test can fill; without root, a plain folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    yield folder
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the command in a session of its own; what is left of it at the end is killed."""
    draw = random.Random(0)
    words = "the cat sat on a mat and then it ran far away from every dog in town".split()  # noqa: SIM905
    (tmp_path / "text").mkdir()
    for number in range(40):
        text = " ".join(draw.choice(words) for _ in range(400))
        (tmp_path / "text" / f"{number:02}.txt").write_text(f"{text}.\n")
    started: list[subprocess.Popen[bytes]] = []

    def run(results: Path, seed: int, trouble: bool, *arguments: str) -> subprocess.Popen[bytes]:
        (tmp_path / f"notes-{bool(trouble)}").mkdir(exist_ok=True)
        paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", ""), os.getcwd()])
        variables = os.environ | {
            "TUNER_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, "COLUMNS": "200",
            "FAULTS_SEED": str(seed), "FAULTS_TROUBLE": "1" if trouble else "",
            "FAULTS_FOLDER": str(tmp_path / f"notes-{bool(trouble)}"),
        }  # fmt: skip
        common = ["--results", str(results), "--concurrent", "2", "--stall-minutes", str(STALL_MINUTES)]
        with (tmp_path / f"log-{len(started)}").open("w") as log:
            started.append(
                subprocess.Popen(
                    [*COMMAND, *arguments, *common],
                    cwd=tmp_path,
                    env=variables,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        started[-1].log = Path(log.name)  # type: ignore[attr-defined]
        return started[-1]

    yield run
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def replay(name: str) -> list[str]:
    settings = [part for path, value in SETTINGS.items() for part in ("--set", f"{path}={value}")]
    rows = ["--replay", ROWS, "--reports", "1", "--data", "text", *settings]
    return ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--name", name, *rows]


def rows_of(folder: Path, count: Any = None) -> dict[str, dict[str, Any]]:
    """The trials so far. With a count, each file is opened on its own, in pandas too."""
    if not (folder / "campaign.json").exists():
        return {}
    for file in folder.glob("*/[!.]*.parquet") if count is not None else ():
        try:
            pd.read_parquet(file)
        except Exception:
            count.unreadable += 1
    return {row["key"]: row for row in Store.open(folder).trials()}


def curves_of(folder: Path, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The curves of the trials that completed."""
    store = Store.open(folder)
    store.check_curves()
    return {key: store.curve(key) for key, row in rows.items() if row["status"] == "completed"}


def ended(rows: dict[str, dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    return {key: (r["attempt"], r["ended_at"], r["value"]) for key, r in rows.items() if r["status"] in ENDED}


def inject(kind: str, process: subprocess.Popen[bytes], disk: Path) -> tuple[int, ...]:
    """One fault of the driver's; the exit codes that it may end with, beside those of a campaign that just ended."""
    if kind == "driver killed":
        process.kill()
        return (-signal.SIGKILL,)
    if kind == "disk full":
        with suppress(OSError), (disk / "filler").open("wb") as file:
            while True:
                file.write(bytes(4096))  # to the last page
                file.flush()
        return (1,)
    process.send_signal(signal.SIGTERM if kind == "SIGTERM" else signal.SIGINT)
    if kind == "Ctrl-C twice":
        time.sleep(0.3)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
    return (143 if kind == "SIGTERM" else 130,)


def until_more_have_ended(folder: Path, more: int, process: subprocess.Popen[bytes]) -> None:
    before, deadline = len(ended(rows_of(folder))), time.monotonic() + TIMEOUT
    while len(ended(rows_of(folder))) < before + more and process.poll() is None:
        assert time.monotonic() < deadline, process.log.read_text()  # type: ignore[attr-defined]
        time.sleep(0.2)


def check_output(process: subprocess.Popen[bytes], codes: tuple[int, ...]) -> None:
    code, text = process.wait(timeout=TIMEOUT), process.log.read_text()  # type: ignore[attr-defined]
    assert code in codes and "Traceback" not in text, f"{code}: {text}"


@pytest.mark.parametrize("seed", [1])
def test_a_real_replay_ends_as_without_faults(seed, disk, tmp_path, start, fault_count) -> None:
    calm = tmp_path / "runs" / "calm"
    process = start(tmp_path / "runs", seed, False, *replay("calm"))
    check_output(process, (0, 1))
    while not all(row["status"] in ENDED for row in rows_of(calm).values()):  # one error three times in a row ends it
        check_output(start(tmp_path / "runs", seed, False, "--resume", "calm"), (0, 1))
    expected = rows_of(calm)
    assert len(expected) > 12

    draw, folder = random.Random(seed), disk / "runs" / "faulty"
    kinds = [kind for kind in TO_THE_DRIVER if kind != "disk full" or os.path.ismount(disk)]
    draw.shuffle(kinds)
    done: dict[str, tuple[Any, ...]] = {}
    for kind in [*kinds, *[""] * 4]:  # and then until nothing is left
        begin = ["--resume", "faulty"] if (folder / "campaign.json").exists() else replay("faulty")
        process = start(disk / "runs", seed, True, *begin)
        codes: tuple[int, ...] = (0, 1)
        if kind:
            until_more_have_ended(folder, draw.randrange(1, 4), process)
            time.sleep(draw.random())
            if process.poll() is None:
                fault_count.injected[kind] += 1
                codes += inject(kind, process, disk)
        check_output(process, codes)
        (disk / "filler").unlink(missing_ok=True)
        rows = rows_of(folder, fault_count)
        now = ended(rows)
        fault_count.twice += sum(now.get(key) != end for key, end in done.items())
        done = now
        if not kind and len(done) == len(expected):
            break
    for file in [*(tmp_path / "notes-True").iterdir(), *(tmp_path / "notes-False").iterdir()]:
        fault_count.injected.update(file.read_text().splitlines())
    fault_count.lost += sum(key not in done for key in expected)
    differing = [
        (key, name, rows.get(key, {}).get(name), row[name], row["reason"])
        for key, row in expected.items()
        for name in (NUMBERS if row["status"] == "completed" else ["status", "config"])
        if repr(rows.get(key, {}).get(name)) != repr(row[name])
    ]
    fault_count.differing += len({key for key, *_ in differing})
    assert (fault_count.lost, fault_count.twice, fault_count.unreadable, differing) == (0, 0, 0, [])
    assert rows.keys() == expected.keys()
    assert set(results.load(folder).rows["status"]) <= {"completed", "diverged", "crashed"}
    curves = [curves_of(place, expected) for place in (folder, calm)]
    assert curves[0] == curves[1], "the same to the last bit, resumed or not"
    assert all(len(curve.steps) == SETTINGS["budget.steps"] for curve in curves[0].values())
