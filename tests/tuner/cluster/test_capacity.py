from __future__ import annotations

import atexit
import os
import threading
from types import SimpleNamespace

import pytest
import ray
from ray._private import ray_logging, worker
from ray.exceptions import WorkerCrashedError

from results.store.resume_command import RUN_PROGRAM
from terminal import program
from terminal.exit_codes import FAILED
from tuner.cluster import capacity, connect, own_ray
from tuner.cluster.capacity import Cluster
from tuner.cluster.placement import Placement


@pytest.fixture(autouse=True)
def reachable_addresses(monkeypatch) -> None:
    """Whatever cluster was on this machine last is not asked for (tests/tuner/cluster/test_reachable.py)."""
    monkeypatch.setattr(connect.reachable, "check", lambda address: None)


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be on a machine."""

    def pretend(cores: int, gpus: int = 0) -> None:
        monkeypatch.setattr(capacity, "available_cores", lambda: cores)
        monkeypatch.setattr(capacity.gpus, "count", lambda: gpus)

    return pretend


@pytest.mark.parametrize(
    ("cores", "gpus", "slots", "resources"),
    [
        (4, 0, 4, {"cpu": 1.0}),
        (16, 8, 8, {"gpu": 1.0, "cpu": 2.0}),
        (96, 8, 8, {"gpu": 1.0, "cpu": 2.0}),
        (9, 8, 8, {"gpu": 1.0, "cpu": 1.0}),
        (2, 8, 8, {"gpu": 1.0, "cpu": 0.25}),  # no GPU is left idle for want of cores
    ],
)
def test_a_trial_gets_a_gpu_or_else_a_core(machine, cores, gpus, slots, resources) -> None:
    machine(cores, gpus)
    assert capacity.of_this_machine() == Cluster(slots, resources, has_gpu=gpus > 0)


def test_fewer_trials_may_run_than_there_are_slots(machine) -> None:
    machine(cores=4)
    assert capacity.of_this_machine(3).slots == 3
    assert capacity.of_this_machine(1).about == "1 core" and capacity.of_this_machine(2).about == "2 cores"


@pytest.mark.parametrize(("gpus", "unit"), [(0, "4 cores"), (2, "2 GPUs")])
def test_more_trials_than_slots_are_refused(machine, gpus, unit) -> None:
    machine(4, gpus)
    with pytest.raises(ValueError, match=f"--concurrent is 5 but must be in 1..{unit[0]}: a trial uses one of {unit}"):
        capacity.of_this_machine(5)


def test_ray_is_told_of_the_cores_this_process_may_use(machine, monkeypatch) -> None:
    machine(cores=3)
    told = {}
    monkeypatch.setattr(ray, "init", lambda **options: told.update(options))
    assert connect.connect(concurrent=2).slots == 2
    assert told["num_cpus"] == 3 and told["address"] == "local"


@pytest.mark.parametrize("error", [ConnectionError, ValueError, RuntimeError])
def test_a_cluster_that_cannot_be_reached_is_one_line(monkeypatch, error) -> None:
    def unreachable(**options) -> None:
        raise error("nobody there\nand more lines")

    monkeypatch.setattr(ray, "init", unreachable)
    with pytest.raises(ValueError, match=r"^no Ray cluster can be reached at 'auto': nobody there ... and more lines$"):
        connect.connect("auto")


@pytest.mark.parametrize("hangs_at", ["init", "nodes"])
def test_a_cluster_that_does_not_answer_is_one_line_and_is_left_without_a_word(monkeypatch, hangs_at) -> None:
    hangs, at_the_end = threading.Event(), []
    monkeypatch.setattr(ray, "init", lambda **options: hangs.wait() if hangs_at == "init" else None)
    monkeypatch.setattr(connect.nodes, "alive", lambda: hangs.wait() and [])
    monkeypatch.setattr(connect, "JOIN_SECONDS", 0.3)
    monkeypatch.setattr(connect.atexit, "register", at_the_end.append)
    with pytest.raises(ValueError, match=r"^the Ray cluster at 'auto' does not answer: nothing came within 0.3 s$"):
        connect.connect("auto")
    assert at_the_end == [connect._leave]
    hangs.set()


def test_a_ray_that_does_not_start_here_is_one_line(machine, monkeypatch) -> None:
    machine(cores=2)

    def too_slow(**options):
        raise Exception("The current node timed out during startup.\nSee the logs.")

    monkeypatch.setattr(ray, "init", too_slow)
    with pytest.raises(ValueError, match=r"^Ray did not start on this machine: The current node timed out [^\n]+$"):
        connect.connect()


@pytest.mark.parametrize(
    ("error", "said"),
    [(WorkerCrashedError(), "worker died unexpectedly"), (None, "no worker was ready within 0.2 s")],
)
def test_a_ray_that_cannot_run_a_trial_is_one_line_and_is_gone_again(monkeypatch, error, said) -> None:
    asked, ended, hangs = {}, [], threading.Event()

    def fails(reference) -> None:
        if error is None:
            hangs.wait()
        raise error or WorkerCrashedError

    def remote(**options):
        asked.update(options)
        return lambda function: SimpleNamespace(remote=function)

    monkeypatch.setattr(ray, "remote", remote)
    monkeypatch.setattr(ray, "get", fails)
    monkeypatch.setattr(ray, "shutdown", lambda: ended.append(True))
    if error is None:
        monkeypatch.setattr(connect, "TRY_SECONDS", 0.2)
    with pytest.raises(ValueError, match=f"^Ray started on this machine, but cannot run a trial: .*{said}[^\\n]*$"):
        connect.try_out(Cluster(2, {"gpu": 0.5, "cpu": 2.0}, True))
    hangs.set()
    assert (asked["num_cpus"], asked["num_gpus"], ended) == (2.0, 0.5, [True])


@pytest.mark.parametrize("own", [True, False])
def test_a_ray_that_does_not_answer_at_the_end_is_said_and_left(monkeypatch, capsys, own) -> None:
    hangs, at_exit = threading.Event(), []
    monkeypatch.setattr(ray, "init", lambda **options: None)
    monkeypatch.setattr(ray, "shutdown", hangs.wait)
    monkeypatch.setattr(own_ray, "LEAVE_SECONDS", 0.2)
    monkeypatch.setattr(atexit, "register", at_exit.append)
    if own:
        own_ray.start(1)
    connect.disconnect()
    done = "its processes were ended" if own else "it was left without a word"
    said = capsys.readouterr().err
    assert said == f"{RUN_PROGRAM}: note: Ray did not answer for 0.2 s at the end: {done}\n"
    assert not own_ray.is_running() and at_exit == [connect._leave]
    hangs.set()


@pytest.mark.parametrize(("status", "code"), [(0, 0), (130, 130), (None, FAILED)])
def test_a_process_that_leaves_ray_without_a_word_has_its_own_exit_code(monkeypatch, status, code) -> None:
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(program, "status", status)
    connect._leave()
    assert codes == [code]


@pytest.fixture
def joined(monkeypatch):
    """Pretend that there is a cluster of such nodes."""

    def pretend(*resources: dict[str, float]) -> None:
        rows = [
            {"Alive": True, "NodeID": str(i), "NodeManagerHostname": f"host{i}", "Resources": have}
            for i, have in enumerate(resources)
        ]
        monkeypatch.setattr(ray, "init", lambda **options: None)
        monkeypatch.setattr(ray, "nodes", lambda: [*rows, {**rows[0], "Alive": False}])

    return pretend


def test_a_joined_cluster_offers_what_its_living_nodes_have(joined) -> None:
    joined({"memory": 1.0}, {"CPU": 8.0, "GPU": 1.0}, {"CPU": 16.0, "GPU": 2.0})
    assert connect.connect("auto") == Cluster(3, {"gpu": 1.0, "cpu": 2.0}, True)


def test_a_cluster_without_anything_to_train_on_is_refused(joined) -> None:
    joined({"memory": 1.0})
    with pytest.raises(ValueError, match="neither a GPU nor a core to run a trial on; if it grows on demand, say"):
        connect.connect("auto")


def test_a_cluster_that_grows_is_asked_for_as_many_trials_as_one_says(joined) -> None:
    joined({"CPU": 0.0})
    found = connect.connect("auto", 8, Placement(gpu_fraction=1.0))
    assert found.slots == 8 and found.resources == {"gpu": 1.0, "cpu": 1.0} and found.has_gpu


def test_of_nodes_that_are_still_to_come_one_must_say_what_a_trial_gets(joined) -> None:
    joined({"CPU": 0.0})
    with pytest.raises(ValueError, match=r"no node for trials yet: say .* --gpu-fraction 1 .* or --cpus 1"):
        connect.connect("auto", 8)
    assert connect.connect("auto", 8, Placement(cpus=1)).resources == {"cpu": 1.0}


def test_several_trials_share_a_gpu_and_its_cores(machine) -> None:
    machine(cores=16, gpus=2)
    found = capacity.of_this_machine(placement=Placement(gpu_fraction=0.25))
    assert (found.slots, found.resources, found.about) == (8, {"gpu": 0.25, "cpu": 2.0}, "8 x 0.25 GPU")
    with pytest.raises(ValueError, match=r"must be in 1\.\.8: a trial uses 0\.25 of a GPU; in all: 2 GPUs"):
        capacity.of_this_machine(9, Placement(gpu_fraction=0.25))


def test_a_trial_with_more_cores_leaves_fewer_slots(machine) -> None:
    machine(cores=7)
    found = capacity.of_this_machine(placement=Placement(cpus=2))
    assert (found.slots, found.resources, found.about) == (3, {"cpu": 2.0}, "3 x 2 cores")


@pytest.mark.parametrize("asked", [Placement(cpus=8), Placement(gpu_fraction=0.5)])
def test_what_no_node_can_give_is_refused(machine, asked) -> None:
    machine(cores=4)
    with pytest.raises(ValueError, match=r"no node has .* for a trial; in all: 0 GPUs, 4 cores"):
        capacity.of_this_machine(placement=asked)


def test_a_raylet_that_tells_of_a_dead_worker_is_not_heard(monkeypatch, capsys) -> None:
    monkeypatch.setattr(ray, "init", lambda **options: None)
    monkeypatch.setattr(ray_logging.stdout_deduplicator, "skip_re", None)
    note = {"lines": ["A worker died"], "pid": "raylet", "is_err": False}
    worker.print_to_stdstream(note, ignore_prefix=False)
    assert "A worker died" in capsys.readouterr().out
    connect.connect(concurrent=1)
    worker.print_to_stdstream(note, ignore_prefix=False)
    assert capsys.readouterr().out == ""
