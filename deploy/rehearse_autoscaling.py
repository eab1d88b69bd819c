"""A rehearsal of autoscaling by demand, on one machine: Ray's own autoscaler, with its provider that plays a cloud.

    .venv/bin/python deploy/rehearse_autoscaling.py          (no root, no GPU, no cloud; some minutes)

The cluster is cluster.yaml in small: a head without trials, and none to three workers with one GPU. That GPU is not
there: trials see this, and train on the CPU. A campaign is started on it by the real command. Workers must come because
trials wait, trials must train on several of them at once and all end by themselves, and then every worker must be given
back; or the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import results
from results.store.statuses import ENDED

MOST_WORKERS = 3
IDLE_SECONDS = 12
PATIENCE_SECONDS = 600  # for the head to come, for anything to change in the campaign, and for the last worker to go
SMALL = {
    "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "data.vocab_size": 300, "data.seq_len": 32,
    "data.batch_tokens": 256, "evaluation.tokens": 1024, "evaluation.seq_len": 32,
}  # fmt: skip
WORKER = {"resources": {"CPU": 1, "GPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": MOST_WORKERS}
HEAD = {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}
STARTED = time.monotonic()


@dataclass
class Seen:
    """Observations of the cluster and the campaign, in order."""

    workers: list[int] = field(default_factory=list)
    gpus_in_use: list[int] = field(default_factory=list)
    last: str = ""

    def look(self, campaign: Path) -> None:
        """Note how many workers there are and how many of their GPUs are taken; print what has changed."""
        import ray

        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("GPU")]
        in_use = ray.cluster_resources().get("GPU", 0) - ray.available_resources().get("GPU", 0)
        self.workers.append(len(nodes))
        self.gpus_in_use.append(max(0, round(in_use)))
        statuses = results.load(campaign).rows["status"].tolist() if (campaign / "campaign.json").exists() else []
        trials = ", ".join(f"{number} {status}" for status, number in sorted(Counter(statuses).items())) or "none"
        line = f"workers: {self.workers[-1]}, GPUs in use: {self.gpus_in_use[-1]}, trials: {trials}"
        if line != self.last:
            say(line)
        self.last = line


def main() -> int:
    """Run the rehearsal; returns the exit code."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=9)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--autoscaler", choices=("v1", "v2"), default="v1", help="which of Ray's two")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="autoscaling-"))
    address = f"127.0.0.1:{free_port()}"
    os.environ.update(environment(folder, given.autoscaler))  # of the head, the driver and this process
    head = start_head(address, folder, given.autoscaler)
    try:
        wrong = rehearse(address, head, folder, given.trials, given.steps)
    finally:
        end_session(head)
    for line in wrong:
        say(f"FAILED: {line}")
    if wrong:
        print(f"logs: {folder}")
        return 1
    shutil.rmtree(folder)
    say("rehearsal passed")
    return 0


def rehearse(address: str, head: subprocess.Popen[bytes], folder: Path, trials: int, steps: int) -> list[str]:
    """The campaign on the cluster; returns what went wrong."""
    wait_for(address, head, folder)
    campaign, seen = folder / "runs" / "rehearsal", Seen()
    seen.look(campaign)
    driver = start_driver(address, folder, trials, steps)
    try:
        changed = time.monotonic()
        while driver.poll() is None and time.monotonic() - changed < PATIENCE_SECONDS:
            before = seen.last
            seen.look(campaign)
            changed = time.monotonic() if seen.last != before else changed
            time.sleep(1)
    finally:
        driver.kill()
        code = driver.wait()
    for line in (folder / "driver.log").read_text().splitlines():
        if line and not line.startswith(" "):
            print(line)
    wrong = [f"the driver ended with exit code {code}"] if code else []
    wrong += judged(seen, campaign, trials) if (campaign / "campaign.json").exists() else ["there is no campaign"]
    say("the campaign is over: waiting for the workers to be given back")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while seen.workers[-1] and time.monotonic() < deadline:
        seen.look(campaign)
        time.sleep(1)
    disconnect()
    return wrong + ([f"{seen.workers[-1]} workers were not given back"] if seen.workers[-1] else [])


def judged(seen: Seen, campaign: Path, trials: int) -> list[str]:
    """List what of the campaign and the cluster is not as it should be."""
    table = results.load(campaign).rows
    ran = table[table["status"] != "infeasible"]
    hosts = ran["worker"].nunique()
    say(f"{len(ran)} trials ended in {hosts} processes; at most {max(seen.workers)} workers, of which "
        f"{max(seen.gpus_in_use)} trained at once")  # fmt: skip
    checks = {
        f"{seen.workers[0]} workers were there before the campaign": seen.workers[0] == 0,
        f"there were {max(seen.workers)} workers, more than {MOST_WORKERS}": max(seen.workers) <= MOST_WORKERS,
        f"only {max(seen.gpus_in_use)} workers trained at a time": max(seen.gpus_in_use) >= 2,
        f"only {hosts} worker processes ended trials": hosts >= 2,
        f"{len(ran)} trials ran, not {trials}, or one twice": len(ran) == trials and bool(ran["key"].is_unique),
        f"not every trial has ended: {ran['status'].tolist()}": bool(ran["status"].isin(ENDED).all()),
        f"{(ran['status'] == 'crashed').sum()} trials crashed": not (ran["status"] == "crashed").any(),
        f"a trial did not train on the CPU: {ran['device'].tolist()}": all(d.startswith("cpu") for d in ran["device"]),
    }
    return [what for what, held in checks.items() if not held]


def environment(folder: Path, autoscaler: str) -> dict[str, str]:
    return {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_memory_monitor_refresh_ms": "0",
        "RAY_raylet_start_wait_time_s": "60", "RAY_agent_register_timeout_ms": "120000",
        "RAY_worker_register_timeout_seconds": "300",  # what Ray has for these is short on a busy machine
        "RAY_enable_autoscaler_v2": "1" if autoscaler == "v2" else "0", "OMP_NUM_THREADS": "1",
        "TUNER_CACHE": os.environ.get("TUNER_CACHE", str(folder / "cache")),
    }  # fmt: skip


def start_head(address: str, folder: Path, autoscaler: str) -> subprocess.Popen[bytes]:
    """A head with its autoscaler. Ray that runs here already is left alone: this one's processes are in one session."""
    provider = {
        "type": "external",  # by its own name the second autoscaler looks for a file that Ray's wheel leaves out
        "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
        "gcs_address": address,
        "use_node_id_as_ip": True,  # all nodes have one address
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
        # v2 waits for all the workers that it has asked for at once; v1 asks again, and would get one too many
        "launch_multiple": autoscaler == "v2",
    }
    lists = ("cluster_synced_files", "initialization_commands", "setup_commands", "head_setup_commands", "rsync_filter")
    lists += ("worker_setup_commands", "head_start_ray_commands", "worker_start_ray_commands", "rsync_exclude")
    config = {
        "cluster_name": "rehearsal",
        "max_workers": MOST_WORKERS,
        "upscaling_speed": float(MOST_WORKERS),
        "idle_timeout_minutes": IDLE_SECONDS / 60,
        "provider": provider,
        "available_node_types": {"ray.head.default": HEAD, "gpu_worker": WORKER},
        "head_node_type": "ray.head.default",
        "file_mounts_sync_continuously": False,
        **{name: {} for name in ("auth", "docker", "file_mounts")},
        **{name: [] for name in lists},
    }
    (folder / "cluster.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=0"]
    command += [f"--port={address.partition(':')[2]}", "--node-ip-address=127.0.0.1", "--disable-usage-stats"]
    command += [f"--autoscaling-config={folder / 'cluster.json'}", f"--temp-dir={folder / 'ray'}"]
    ports = ("dashboard-agent-grpc-port", "runtime-env-agent-port", "metrics-export-port")
    command += [f"--{name}={free_port()}" for name in ports]  # said here, they are not waited for
    command += ["--include-dashboard=false", "--object-store-memory=100000000"]
    from ray.autoscaler._private.fake_multi_node import node_provider as fake  # Ray reads its mode as it is imported

    # What a cloud's launcher sets: without it the second autoscaler waits for the head to come.
    known = dict.fromkeys(("RAY_CLOUD_INSTANCE_ID", "RAY_OVERRIDE_NODE_ID_FOR_TESTING"), fake.FAKE_HEAD_NODE_ID)
    variables = os.environ | known | {"RAY_NODE_TYPE_NAME": str(config["head_node_type"])}
    with (folder / "head.log").open("wb") as log:
        return subprocess.Popen(command, env=variables, stdout=log, stderr=log, start_new_session=True)


def wait_for(address: str, head: subprocess.Popen[bytes], folder: Path) -> None:
    """Join the cluster as soon as its head answers."""
    import ray  # only now: it reads the mode of authentication as it is imported

    say("starting a head with an autoscaler")
    log = folder / "head.log"
    while "--block" not in log.read_text():  # which it says when it is there
        if head.poll() is not None:
            raise SystemExit(f"the head did not start:\n{log.read_text()}")
        time.sleep(1)
    ray.init(address=address, log_to_driver=False, logging_level="ERROR")


def disconnect() -> None:
    """Leave the cluster before it ends."""
    import ray

    ray.shutdown()


def start_driver(address: str, folder: Path, trials: int, steps: int) -> subprocess.Popen[bytes]:
    """The command that a person would type on the head."""
    command = [sys.executable, "-m", "tuner.run", "--space", "parameter_golf", "--scale", "proxy", "--no-audit"]
    command += [
        "--no-confirm",
        "--stopper",
        "none",
        "--seed",
        "0",
        "--trials",
        str(trials),
        "--set",
        f"budget.steps={steps}",
    ]
    command += [part for path, value in SMALL.items() for part in ("--set", f"{path}={value}")]
    command += ["--address", address, "--gpu-fraction", "1", "--concurrent", str(MOST_WORKERS)]
    command += ["--results", str(folder / "runs"), "--name", "rehearsal"]
    with (folder / "driver.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def end_session(head: subprocess.Popen[bytes]) -> None:
    """End the head, and every process of its session: the fake workers are not the head's children any more."""
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True).stdout
    for pid in map(int, listed.split()):
        with suppress(ProcessLookupError, PermissionError):  # gone meanwhile, or another user's
            if os.getsid(pid) == head.pid:
                os.kill(pid, signal.SIGKILL)
    head.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:3.0f} s] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
