"""Whole campaigns on a cluster of four nodes that are processes of this machine: a month of a researcher in small, a
spot machine that is taken away after a notice, and a head that is lost with all its nodes.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

import results
from results.store.campaign_folder import Store
from results.store.statuses import ENDED

TRIALS = int(os.environ.get("TUNER_MANY_TRIALS", "500"))
NODES = 4
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
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self) -> None:
        """The head, and then its nodes."""
        self.address = f"127.0.0.1:{free_port()}"
        port = self.address.partition(":")[2]
        self.start("--head", f"--port={port}", "--num-cpus=0", f"--temp-dir={self.folder / 'ray'}")
        for number in range(1, 1 + NODES):
            self.start(f"--address={self.address}", "--num-cpus=1", f"--resources={json.dumps({f'node{number}': 1})}")

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

    def give_notice(self, number: int) -> None:
        """What a cloud says before it takes a spot machine away."""
        found = subprocess.run([sys.executable, "-c", WHICH, self.address, f"node{number}"],
                               env=self.environment, capture_output=True, text=True, check=True)  # fmt: skip
        command = [sys.executable, "-m", "ray.scripts.scripts", "drain-node", f"--address={self.address}"]
        command += [f"--node-id={found.stdout.strip()}", "--reason=DRAIN_NODE_REASON_PREEMPTION"]
        command += ["--reason-message=spot", "--deadline-remaining-seconds=5"]
        subprocess.run(command, env=self.environment, check=True)


WHICH = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
print(next(node["NodeID"] for node in ray.nodes() if sys.argv[2] in node["Resources"]))
"""


@pytest.fixture
def start(tmp_path_factory) -> Iterator[Callable[[], Nodes]]:
    """Start clusters that see one folder; whatever of them is left at the end is killed."""
    folder = tmp_path_factory.mktemp("n")  # the names of sockets in it must be short
    environment = os.environ | {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_memory_monitor_refresh_ms": "0",
        "OMP_NUM_THREADS": "1", "TUNER_CACHE": str(folder / "cache"), "PYTHONPATH": str(Path(__file__).parents[1]),
    }  # fmt: skip
    clusters: list[Nodes] = []

    def one_more() -> Nodes:
        (folder / f"c{len(clusters)}").mkdir()
        clusters.append(Nodes(folder / f"c{len(clusters)}", environment))
        clusters[-1].begin()  # known by then, so that a start that fails leaves nothing behind either
        return clusters[-1]

    yield one_more
    for cluster in clusters:
        for node in cluster.started:
            cluster.kill(node)


def command(nodes: Nodes, *arguments: str) -> list[str]:
    runs = str(nodes.folder.parent / "runs")
    return [sys.executable, "-m", "tuner.run", *arguments, "--address", nodes.address, "--results", runs]


def new(name: str, trials: int, **settings: float) -> list[str]:
    """The arguments of a new campaign."""
    found = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--no-confirm", "--seed", "0"]
    found += ["--name", name, "--trials", str(trials)]
    return found + [part for path, value in (TINY | settings).items() for part in ("--set", f"{path}={value}")]


def drive(nodes: Nodes, arguments: list[str]) -> tuple[subprocess.Popen[bytes], Path]:
    log = nodes.folder / "driver.log"
    with log.open("wb") as file:
        return subprocess.Popen(command(nodes, *arguments), env=nodes.environment, stdout=file, stderr=file), log


def wait_for(condition: Callable[[], bool], driver: subprocess.Popen[bytes], log: Path) -> None:
    """Until the condition holds; the campaign must still be running then."""
    until = time.monotonic() + 3600
    while not condition():
        assert driver.poll() is None and time.monotonic() < until, log.read_text()
        time.sleep(1)


@pytest.mark.slow
def test_of_500_short_trials_on_four_nodes_none_is_lost_when_a_node_dies(start) -> None:
    nodes, started = start(), time.monotonic()
    folder = nodes.folder.parent / "runs" / "month"
    driver, log = drive(nodes, new("month", TRIALS))
    try:
        wait_for(lambda: ended_in(folder) >= TRIALS // 5, driver, log)
        nodes.kill(nodes.started[-1])
        _, status, used = os.wait4(driver.pid, 0)
    finally:
        driver.kill()
        driver.wait()
    seconds = time.monotonic() - started
    assert os.waitstatus_to_exitcode(status) == 0, log.read_text()
    trials = check_whole(folder, TRIALS)
    trained = trials["train_seconds"].sum()
    print(
        f"\n{len(trials)} trials in {seconds:.0f} s, {dict(Counter(trials['status']))}; "
        f"{(NODES * seconds - trained) / len(trials):.2f} s a trial and node outside training "
        f"({1 - trained / seconds / NODES:.0%} of the time); driver: {used.ru_utime + used.ru_stime:.0f} s of CPU, "
        f"at most {used.ru_maxrss / 1024:.0f} MiB; tried again: {(trials['attempt'] > 1).sum()}"
    )


@pytest.mark.slow
def test_a_trial_whose_spot_machine_is_taken_away_after_a_notice_goes_on_elsewhere(start) -> None:
    nodes = start()
    folder = nodes.folder.parent / "runs" / "spot"
    driver, log = drive(nodes, [*new("spot", 8, **{"budget.steps": 1500}), "--stopper", "none"])
    try:
        wait_for(lambda: len(running_in(folder)) == NODES, driver, log)
        nodes.give_notice(NODES)
        time.sleep(5)
        nodes.kill(nodes.started[-1])
        assert driver.wait(timeout=900) == 0, log.read_text()
    finally:
        driver.kill()
        driver.wait()
    trials = check_whole(folder, 8)
    (moved,) = trials[trials["attempt"] > 1].to_dict("records")
    assert (moved["attempt"], moved["note"]) == (2, "attempt 1: its node was lost")
    assert (trials["status"] == "completed").all()


@pytest.mark.slow
def test_a_campaign_whose_head_was_lost_with_all_nodes_goes_on_on_a_new_cluster(start) -> None:
    nodes = start()
    folder = nodes.folder.parent / "runs" / "lost"
    driver, log = drive(nodes, [*new("lost", 8, **{"budget.steps": 800}), "--stopper", "none"])
    try:
        wait_for(lambda: ended_in(folder) >= 2, driver, log)
    finally:
        driver.kill()  # it ran on the head
        driver.wait()
    for node in nodes.started:
        nodes.kill(node)
    before = results.load(folder).rows.set_index("key")
    done = before[before["status"].isin(ENDED)]
    assert 2 <= len(done) < 8
    fresh = start()
    driver, log = drive(fresh, ["--resume", "lost"])
    try:
        assert driver.wait(timeout=900) == 0, log.read_text()
    finally:
        driver.kill()
        driver.wait()
    kept = ["attempt", "ended_at", "value"]
    assert check_whole(folder, 8).loc[done.index, kept].equals(done[kept])


def check_whole(folder: Path, count: int) -> pd.DataFrame:
    """Every trial is there once and has ended, every file can be read, and trials and reports say the same."""
    unreadable: list[str] = []
    Store.open(folder).set_damaged_aside(lambda path, why: unreadable.append(f"{path}: {why}"))
    assert unreadable == []
    campaign = results.load(folder)
    ran = campaign.rows[campaign.rows["status"] != "infeasible"].set_index("key")
    assert len(ran) == count and ran.index.is_unique and ran["status"].isin(ENDED).all()
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
    return len(trials_with(folder, ENDED))


def running_in(folder: Path) -> pd.DataFrame:
    return trials_with(folder, ("running",))


def trials_with(folder: Path, statuses: tuple[str, ...]) -> pd.DataFrame:
    trials = results.load(folder).rows if (folder / "campaign.json").exists() else pd.DataFrame({"status": []})
    return trials[trials["status"].isin(statuses)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
