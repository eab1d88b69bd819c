"""A run without --address, with real Ray: it starts beside others, lets nobody in, leaves nothing, outlives its Ray."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

import results
from tuner.cluster.leftovers import RECORD, OwnRayRecord, living

TINY = {
    "model.num_layers": 2, "model.model_dim": 32, "model.encoder_layers": 1, "data.vocab_size": 300, "data.seq_len": 32,
    "data.batch_tokens": 64, "evaluation.tokens": 256, "evaluation.seq_len": 32,
}  # fmt: skip
ROOT = Path(__file__).parents[1]
OTHERS = {
    "RAY_NAMESPACE": "theirs",
    "RAY_JOB_CONFIG_JSON_ENV_VAR": '{"runtime_env": {"working_dir": "gcs://theirs.zip"}}',
    "RAY_AUTH_MODE": "disabled",
    "RAY_GCS_SERVER_PORT": "6379",
}

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder in which everything temporary is; no process that a Ray there consists of is left at the end."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as name:
        yield Path(name)
        wait_until(lambda: not list(Path(name).glob(f"*/{RECORD}")))


def environment(place: Path, **others: str) -> dict[str, str]:
    mine = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TUNER_CACHE": str(place / "cache")}
    mine |= {"TMPDIR": str(place), "RAY_TMPDIR": str(place)}
    return os.environ | mine | others


def wait_until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.2)
    return found


def run(place: Path, *arguments: str, **others: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tuner.run", *arguments, "--results", str(place / "runs"), "--concurrent", "1"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(place, **others), stdout=pipe, stderr=pipe, text=True, cwd=place)


def new(place: Path, name: str, trials: int = 2, steps: int = 12, **others: str) -> subprocess.Popen[str]:
    options = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--no-confirm", "--seed", "0"]
    options += ["--name", name, "--trials", str(trials)]
    options += [
        part for path, value in {**TINY, "budget.steps": steps}.items() for part in ("--set", f"{path}={value}")
    ]
    return run(place, *options, **others)


def ends(driver: subprocess.Popen[str], seconds: float = 240) -> tuple[int, str, str]:
    out, err = driver.communicate(timeout=seconds)
    return driver.returncode, out, err


def trials(place: Path, name: str) -> pd.DataFrame:
    return results.load(place / "runs" / name).trials


def record(place: Path, driver: subprocess.Popen[str]) -> OwnRayRecord:
    """What is on record of the driver's Ray once a trial runs."""

    def found() -> OwnRayRecord | None:
        assert driver.poll() is None, driver.communicate()
        records = [OwnRayRecord.read(path.parent) for path in place.glob(f"*/{RECORD}")]
        mine = next((one for one in records if one is not None and one.driver[0] == driver.pid), None)
        return mine if mine is not None and trainers(mine) else None

    return wait_until(found)


def trainers(found: OwnRayRecord) -> list[psutil.Process]:
    """The actors of trials, which Ray names after the class that it wraps ours in."""
    named = []
    for process in living(found.processes):
        with suppress(psutil.Error):
            if process.name().startswith(("ray::ResourceTr", "ray::RayTr")):
                named.append(process)
    return named


THEIRS = """
import sys, time, ray
context = ray.init(address="local", num_cpus=1, include_dashboard=False, _temp_dir=sys.argv[1], logging_level="ERROR")
print(context.address_info["gcs_address"], flush=True)
sys.stdin.read()
"""


def test_runs_begin_side_by_side_while_another_ray_lives_and_is_named_by_the_environment(place) -> None:
    command = [sys.executable, "-c", THEIRS, str(place / "ray")]
    pipe = subprocess.PIPE
    mine = environment(place, HOME=str(place))
    theirs = subprocess.Popen(command, env=mine, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    assert theirs.stdin is not None and theirs.stdout is not None
    address = theirs.stdout.readline().strip()
    assert address
    try:
        drivers = [new(place, "first", RAY_ADDRESS=address, **OTHERS), new(place, "second", RAY_ADDRESS=address)]
        for driver in drivers:
            code, out, err = ends(driver)
            assert (code, err) == (0, ""), out
        assert list(trials(place, "first").status.isin(["completed", "stopped"])) == [True, True]
        assert theirs.poll() is None
    finally:
        theirs.stdin.close()
        theirs.wait()
        theirs.stdout.close()
    assert not list(place.glob("tuner-*"))


OURS = """
import json, os, psutil, ray, stat, sys
from tuner.cluster import connect
connect.connect(concurrent=1)

@ray.remote(num_cpus=1)
class Worker:
    def who(self):
        return os.getpid()

worker = Worker.remote()
ray.get(worker.who.remote())
mine = psutil.Process()
tree = [mine, *mine.children(recursive=True)]
listen = [[p.pid, c.laddr.ip] for p in tree for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
token = os.environ["RAY_AUTH_TOKEN_PATH"]
arguments = [" ".join(p.cmdline()) for p in tree]
print(json.dumps({
    "address": ray.get_runtime_context().gcs_address, "listen": listen, "token": token,
    "mode": stat.S_IMODE(os.stat(token).st_mode), "arguments": arguments, "trees": len(tree),
}), flush=True)
sys.stdin.read()
connect.disconnect()
"""
CLIENT = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
print(len(ray.nodes()))
"""


def test_nobody_without_the_token_is_let_in_and_nothing_listens_beyond_this_machine(place) -> None:
    pipe = subprocess.PIPE
    ours = subprocess.Popen(
        [sys.executable, "-c", OURS], env=environment(place), stdin=pipe, stdout=pipe, text=True, cwd=place
    )
    assert ours.stdin is not None and ours.stdout is not None
    found = json.loads(ours.stdout.readline())
    token = Path(found["token"]).read_text()

    def client(**others: str) -> subprocess.CompletedProcess[str]:
        here = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # or Ray looks for it at the machine's outer address
        known = environment(place, HOME=str(place), **here, **others)
        command = [sys.executable, "-c", CLIENT, found["address"]]
        return subprocess.run(command, env=known, capture_output=True, text=True, timeout=200, check=False)

    try:
        assert len({pid for pid, _ in found["listen"]}) >= 4, "driver, GCS, raylet and worker listen"
        assert {ip.removeprefix("::ffff:") for _, ip in found["listen"]} == {"127.0.0.1"}
        assert found["mode"] == 0o600 and not any(token in line for line in found["arguments"])
        known = client(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token)
        assert (known.returncode, known.stdout) == (0, "1\n"), known.stderr
        for stranger in (client(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64), client(RAY_AUTH_MODE="disabled")):
            assert stranger.returncode != 0 and stranger.stdout == ""
            assert "uthenticat" in stranger.stderr
    finally:
        ours.stdin.close()
        ours.wait()
        ours.stdout.close()


@pytest.mark.parametrize("server", ["raylet", "gcs_server"])
def test_a_driver_whose_ray_is_killed_says_how_to_go_on_and_nothing_is_lost_run_twice_or_left(place, server) -> None:
    driver = new(place, "killed", steps=4000)
    known = record(place, driver)
    wait_until(lambda: list(trials(place, "killed").status) == ["running"])
    (found,) = [child for child in psutil.Process(driver.pid).children() if child.name() == server]
    found.kill()
    code, _, err = ends(driver, seconds=60)
    assert code == 1 and err.count("\n") == 1
    assert f"Ray has died: its process {server} was killed by signal 9" in err
    assert f"Go on with: python -m tuner.run --resume killed --results {place / 'runs'}" in err
    assert list(trials(place, "killed").status) == ["interrupted"]
    wait_until(lambda: not living(known.processes) and not list(place.glob("tuner-*")))
    campaign = place / "runs" / "killed" / "campaign.json"
    assert "4000" in campaign.read_text()
    resumed = run(place, "--resume", "killed", "--trials", "1")
    record(place, resumed)
    wait_until(lambda: list(trials(place, "killed").attempt) == [2])
    resumed.send_signal(signal.SIGINT)
    assert ends(resumed)[0] == 130
    (row,) = trials(place, "killed").to_dict("records")
    assert (row["status"], row["attempt"]) == ("interrupted", 2) and row["checkpoint"]


def test_a_raylet_that_hangs_at_the_end_is_said_and_ended_and_the_verdict_is_printed(place) -> None:
    driver = new(place, "hangs", trials=1, steps=600)
    known = record(place, driver)
    wait_until(lambda: list(trials(place, "hangs").status) == ["running"])
    (found,) = [child for child in psutil.Process(driver.pid).children() if child.name() == "raylet"]
    found.suspend()
    code, out, err = ends(driver)
    assert (code, err) == (
        0, "python -m tuner.run: note: Ray did not answer for 30 s at the end: its processes were ended\n"
    ), out  # fmt: skip
    assert "1 trial: 1 completed" in out
    wait_until(lambda: not living(known.processes) and not list(place.glob("tuner-*")))


def test_a_raylet_that_hangs_during_the_search_ends_it_with_the_line_how_to_go_on(place) -> None:
    driver = new(place, "hangs", steps=10**6)
    known = record(place, driver)
    wait_until(lambda: list(trials(place, "hangs").status) == ["running"])
    (found,) = [child for child in psutil.Process(driver.pid).children() if child.name() == "raylet"]
    found.suspend()
    code, _, err = ends(driver)
    assert code == 1 and err.count("\n") == 1, err
    assert (
        "Ray has died: its process raylet (127.0.0.1:" in err and ") has not answered for 60 s; running trials" in err
    )
    assert f"Go on with: python -m tuner.run --resume hangs --results {place / 'runs'}" in err
    assert list(trials(place, "hangs").status) == ["interrupted"]
    wait_until(lambda: not living(known.processes) and not list(place.glob("tuner-*")))


def test_what_a_killed_run_left_is_ended_and_named_by_the_next(place) -> None:
    driver = new(place, "first", steps=4000)
    known = record(place, driver)
    assert known.reaper is not None
    os.kill(known.reaper[0], signal.SIGKILL)
    stays = trainers(known)
    driver.kill()
    ends(driver)
    assert stays and list(place.glob("tuner-*"))
    code, out, err = ends(new(place, "second", trials=1))
    assert code == 0, err
    assert err.count("\n") == 1 and f"an earlier run was killed (process {driver.pid})" in out + err
    assert not living(known.processes) and not list(place.glob("tuner-*"))


NOTEBOOK = """
import json, os, subprocess, sys, ray
from tuner.cluster import connect, own_ray
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
before = subprocess.Popen(sleep)
connect.connect(concurrent=1)

@ray.remote(num_cpus=1)
class Trial:
    def children(self):
        twice = f"import subprocess; print(subprocess.Popen({sleep}, start_new_session=True, stdout=2).pid)"
        orphan = int(subprocess.run([sys.executable, "-c", twice], stdout=subprocess.PIPE).stdout)
        return [os.getpid(), subprocess.Popen(sleep).pid, orphan]

trial = Trial.remote()
of_the_trial = ray.get(trial.children.remote())
after = subprocess.Popen(sleep)
print(json.dumps([[before.pid, after.pid], of_the_trial, str(own_ray.folder())]), flush=True)
sys.stdin.readline()
connect.disconnect()
print("disconnected", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("end", ["in peace", "by kill -9"])
def test_other_children_of_a_driver_live_on_and_those_of_its_trials_do_not(place, end) -> None:
    pipe = subprocess.PIPE
    driver = subprocess.Popen(
        [sys.executable, "-c", NOTEBOOK], env=environment(place), stdin=pipe, stdout=pipe, text=True, cwd=place
    )
    assert driver.stdin is not None and driver.stdout is not None
    bystanders, of_the_trial, folder = json.loads(driver.stdout.readline())
    others = [psutil.Process(pid) for pid in bystanders]
    trial = [psutil.Process(pid) for pid in of_the_trial]
    try:
        wait_until(
            lambda: (
                (one := OwnRayRecord.read(Path(folder))) is not None and set(of_the_trial) <= dict(one.processes).keys()
            )
        )
        if end == "in peace":
            print(file=driver.stdin, flush=True)
            assert driver.stdout.readline() == "disconnected\n"
        else:
            driver.kill()
            driver.wait()
        wait_until(lambda: not Path(folder).exists() and not any(one.is_running() for one in trial))
        assert [one.status() for one in others] == [psutil.STATUS_SLEEPING] * 2
    finally:
        for one in others:
            one.kill()
        driver.stdin.close()
        driver.wait()
        driver.stdout.close()


def test_a_signal_to_the_whole_group_leaves_trials_the_time_for_their_checkpoints(place) -> None:
    options = ["--space", "parameter_golf", "--scale", "proxy", "--no-audit", "--no-confirm", "--trials", "1"]
    options += [part for path, value in {**TINY, "budget.steps": 4000}.items() for part in ("--set", f"{path}={value}")]
    command = [sys.executable, "-m", "tuner.run", *options, "--name", "group", "--results", str(place / "runs")]
    driver = subprocess.Popen(
        [*command, "--concurrent", "1"], env=environment(place), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=place, start_new_session=True,
    )  # fmt: skip
    record(place, driver)
    wait_until(lambda: list(trials(place, "group").status) == ["running"])
    os.killpg(driver.pid, signal.SIGTERM)
    assert ends(driver)[0] == 128 + signal.SIGTERM
    (row,) = trials(place, "group").to_dict("records")
    assert row["status"] == "interrupted" and row["checkpoint"]
