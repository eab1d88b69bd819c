"""A month of a researcher in small: 500 trials of a few steps on four nodes, one of which dies on the way."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import results
from results.store import Store

TRIALS = int(os.environ.get("TUNER_MANY_TRIALS", "500"))
NODES = 4
ENDED = ("completed", "stopped", "diverged", "plateaued", "crashed")
TINY = {
    "budget.steps": 12, "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "data.vocab_size": 300,
    "data.seq_len": 32, "data.batch_tokens": 64, "evaluation.tokens": 256, "evaluation.seq_len": 32,
}  # fmt: skip


@dataclass
class Nodes:
    """A head without cores and nodes of one core, each with all its processes in a session of its own."""

    folder: Path
    environment: dict[str, str]
    address: str = ""

    def __post_init__(self) -> None:
        self.started: list[subprocess.Popen[bytes]] = []
        self.address = f"127.0.0.1:{free_port()}"
        port = self.address.partition(":")[2]
        self.start("--head", f"--port={port}", "--num-cpus=0", f"--temp-dir={self.folder / 'ray'}")
        for _ in range(NODES):
            self.start(f"--address={self.address}", "--num-cpus=1")

    def start(self, *arguments: str) -> None:
        """A node; returns when it has joined."""
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *arguments]
        command += ["--node-ip-address=127.0.0.1", "--object-store-memory=100000000", "--disable-usage-stats"]
        command += ["--min-worker-port=0", "--max-worker-port=0", f"--dashboard-agent-listen-port={free_port()}"]
        log = self.folder / f"node{len(self.started)}.log"
        with log.open("wb") as file:
            node = subprocess.Popen(
                command, env=self.environment, stdout=file, stderr=file, start_new_session=True, cwd=self.folder
            )
        self.started.append(node)
        while "--block" not in log.read_text():  # it says that it will wait now
            assert node.poll() is None, log.read_text()
            time.sleep(0.5)

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """What a power cut leaves of it: nothing."""
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()):
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == node.pid:
                    os.kill(pid, signal.SIGKILL)
        node.wait()


@pytest.fixture
def nodes(tmp_path_factory) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("n")  # the names of sockets in it must be short
    environment = os.environ | {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_memory_monitor_refresh_ms": "0",
        "OMP_NUM_THREADS": "1", "TUNER_CACHE": str(folder / "cache"), "PYTHONPATH": str(Path(__file__).parents[1]),
    }  # fmt: skip
    found = Nodes(folder, environment)
    yield found
    for node in found.started:
        found.kill(node)


@pytest.mark.slow
def test_of_500_short_trials_on_four_nodes_none_is_lost_when_a_node_dies(nodes) -> None:
    folder = nodes.folder / "runs" / "month"
    log = nodes.folder / "driver.log"
    command = [sys.executable, "-m", "tuner.run", "--space", "parameter_golf", "--scale", "proxy", "--no-audit"]
    command += ["--no-confirm", "--seed", "0", "--trials", str(TRIALS), "--name", "month", "--address", nodes.address]
    command += ["--results", str(folder.parent)]
    command += [part for path, value in TINY.items() for part in ("--set", f"{path}={value}")]
    started = time.monotonic()
    with log.open("wb") as file:
        driver = subprocess.Popen(command, env=nodes.environment, stdout=file, stderr=file)
    try:
        while ended_in(folder) < TRIALS // 5:
            assert driver.poll() is None and time.monotonic() - started < 3600, log.read_text()
            time.sleep(2)
        nodes.kill(nodes.started[-1])
        _, status, used = os.wait4(driver.pid, 0)
    finally:
        driver.kill()
    seconds = time.monotonic() - started
    assert os.waitstatus_to_exitcode(status) == 0, log.read_text()
    trials = check_whole(folder)
    trained = trials["train_seconds"].sum()
    print(
        f"\n{len(trials)} trials in {seconds:.0f} s, {dict(Counter(trials['status']))}; "
        f"{(NODES * seconds - trained) / len(trials):.2f} s a trial and node outside training "
        f"({1 - trained / seconds / NODES:.0%} of the time); driver: {used.ru_utime + used.ru_stime:.0f} s of CPU, "
        f"at most {used.ru_maxrss / 1024:.0f} MiB; tried again: {(trials['attempt'] > 1).sum()}"
    )


def check_whole(folder: Path) -> pd.DataFrame:
    """Every trial is there once and has ended, every file can be read, and trials and reports say the same."""
    unreadable: list[str] = []
    Store.open(folder, on_corrupt=lambda path, why: unreadable.append(f"{path}: {why}"))
    assert unreadable == []
    campaign = results.load(folder)
    ran = campaign.trials[campaign.trials["status"] != "infeasible"].set_index("key")
    assert len(ran) == TRIALS and ran.index.is_unique and ran["status"].isin(ENDED).all()
    reports = campaign.reports
    assert set(reports["key"]) <= set(ran.index)
    last = reports.groupby("key").last()
    whole = ran[ran["status"] != "crashed"]
    assert set(whole.index) <= set(last.index)
    assert (last.loc[whole.index, "attempt"] == whole["attempt"]).all()
    assert (last.loc[whole.index, "step"] == whole["steps"]).all()
    done = whole[whole["status"] == "completed"]
    assert len(done) and (last.loc[done.index, "val_bpb"] == done["value"]).all()
    return ran


def ended_in(folder: Path) -> int:
    if not (folder / "campaign.json").exists():
        return 0
    return int(results.load(folder).trials["status"].isin(ENDED).sum())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
