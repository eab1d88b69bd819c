"""MPS is started for trials that share a GPU and ended with their Ray; its control program is a stand-in here."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tuner.cluster import connect, leftovers, mps, own_ray
from tuner.cluster.capacity import Cluster

STAND_IN = """#!/bin/sh
case "$1" in
-d) env > "$CUDA_MPS_LOG_DIRECTORY/env"
    sleep 300 < /dev/null > /dev/null 2>&1 &
    echo $! > "$CUDA_MPS_PIPE_DIRECTORY/control" ;;
*)  read order
    case "$order" in quit*) kill $(cat "$CUDA_MPS_PIPE_DIRECTORY/control") ;; esac ;;
esac
"""
REFUSES = """#!/bin/sh
echo 'An instance of this daemon is already running' >&2
exit 1
"""


@pytest.fixture
def control(monkeypatch, tmp_path):
    """Put a stand-in for the control program on the path, and nobody's MPS in force."""

    def put(text: str = STAND_IN) -> None:
        program = tmp_path / "bin" / mps.PROGRAM
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    monkeypatch.setattr(mps, "USUAL_PIPES", tmp_path / "nobody")
    monkeypatch.delenv(mps.PIPES, raising=False)
    return put


def daemon(folder: Path) -> int:
    return int((folder / "pipes" / "control").read_text())


def is_gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_daemon_runs_for_the_time_of_the_block(control, tmp_path) -> None:
    control()
    with mps.running(tmp_path / "mps") as found:
        assert found == {mps.PIPES: str(tmp_path / "mps/pipes"), mps.LOGS: str(tmp_path / "mps/logs")}
        pid = daemon(tmp_path / "mps")
        assert psutil.pid_exists(pid)
    assert is_gone(pid)


def test_the_daemon_numbers_gpus_as_the_machine_does_and_carries_its_marks(control, tmp_path, monkeypatch) -> None:
    control()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    mps.start(tmp_path / "mps", {"MARK": "mine"})
    said = (tmp_path / "mps/logs/env").read_text().splitlines()
    assert mps.stop(tmp_path / "mps")
    assert "MARK=mine" in said and not any(line.startswith("CUDA_VISIBLE_DEVICES") for line in said)


def test_one_that_does_not_start_says_why(control, tmp_path) -> None:
    control(REFUSES)
    with pytest.raises(OSError, match=r"^An instance of this daemon is already running$"):
        mps.start(tmp_path / "mps")


def test_without_the_program_nothing_is_left_behind(control, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"there is no {mps.PROGRAM}"):
        mps.start(tmp_path / "mps")
    assert not (tmp_path / "mps").exists()


def test_one_of_somebody_elses_is_seen(control, tmp_path, monkeypatch) -> None:
    assert not mps.runs_already()
    mps.USUAL_PIPES.mkdir()
    (mps.USUAL_PIPES / "control").touch()
    assert mps.runs_already()
    (mps.USUAL_PIPES / "control").unlink()
    monkeypatch.setenv(mps.PIPES, str(tmp_path))
    assert mps.runs_already()


@pytest.fixture
def no_ray(monkeypatch, control):
    """Everything of a Ray of ours but Ray itself; what is in the environment as it starts."""
    seen: dict[str, str] = {}
    monkeypatch.setattr(own_ray, "_begin", lambda cores, folder: seen.update(os.environ))
    monkeypatch.setattr(own_ray, "_check_shut", lambda: None)
    monkeypatch.setattr(own_ray.ray, "shutdown", lambda: None)
    yield seen
    own_ray.stop()  # it puts the environment back, which monkeypatch does after it


def test_a_ray_whose_trials_share_a_gpu_has_mps_and_ends_it(control, no_ray) -> None:
    control()
    assert own_ray.start(1, shares_gpus=True) == "trials on one GPU run side by side (MPS)"
    folder = own_ray.folder()
    pid = daemon(folder / "mps")
    assert no_ray[mps.PIPES] == str(folder / "mps/pipes"), "its workers find it"
    environment = (folder / "mps/logs/env").read_text().splitlines()
    assert f"{leftovers.MARK}={folder.name}" in environment, "the reaper finds it, should this process be killed"
    own_ray.stop()
    assert is_gone(pid) and mps.PIPES not in os.environ and not folder.exists()


def test_a_ray_whose_trials_have_a_gpu_each_has_none(control, no_ray) -> None:
    control()
    assert own_ray.start(1) == ""
    assert not (own_ray.folder() / "mps").exists() and mps.PIPES not in no_ray


@pytest.mark.parametrize(("text", "why"), [(REFUSES, "An instance of this daemon is already running"), (None, "no ")])
def test_where_mps_does_not_start_trials_take_turns_and_that_is_said(control, no_ray, text, why) -> None:
    if text is not None:
        control(text)
    told = own_ray.start(1, shares_gpus=True)
    assert told.startswith("trials on one GPU take turns, since MPS did not start: ") and why in told
    assert mps.PIPES not in no_ray


def test_somebody_elses_mps_is_used_and_left_alone(control, no_ray, monkeypatch, tmp_path) -> None:
    control()
    monkeypatch.setenv(mps.PIPES, str(tmp_path))
    assert own_ray.start(1, shares_gpus=True).endswith("by the MPS that runs on this machine")
    own_ray.stop()
    assert os.environ[mps.PIPES] == str(tmp_path) and list(tmp_path.iterdir()) == [tmp_path / "bin"]


@pytest.mark.parametrize(("resources", "shares"), [({"gpu": 0.25, "cpu": 1}, True), ({"gpu": 1.0, "cpu": 2}, False)])
def test_it_is_asked_for_where_trials_have_a_part_of_a_gpu(monkeypatch, resources, shares) -> None:
    asked = SimpleNamespace(shares=None, said=[])

    def start(cores: int, shares_gpus: bool) -> str:
        asked.shares = shares_gpus
        return "MPS says"

    found = Cluster(4, resources, has_gpu=True)
    monkeypatch.setattr(connect.capacity, "of_this_machine", lambda concurrent, placement: found)
    monkeypatch.setattr(connect.leftovers, "clean", lambda bases: [])
    monkeypatch.setattr(connect.own_ray, "start", start)
    connect.connect(say=asked.said.append)
    assert asked.shares is shares and asked.said == ["MPS says"]
