from __future__ import annotations

import pytest
import ray
import torch
from ray._private import ray_logging, worker

from tuner import cluster
from tuner.cluster import Cluster


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be on a machine."""

    def pretend(cores: int, gpus: int = 0) -> None:
        monkeypatch.setattr(cluster, "available_cores", lambda: cores)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)

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
    assert cluster.local() == Cluster(slots, resources, has_gpu=gpus > 0)


def test_fewer_trials_may_run_than_there_are_slots(machine) -> None:
    machine(cores=4)
    assert cluster.local(3).slots == 3
    assert cluster.local(1).about == "1 core" and cluster.local(2).about == "2 cores"


@pytest.mark.parametrize(("gpus", "unit"), [(0, "4 cores"), (2, "2 GPUs")])
def test_more_trials_than_slots_are_refused(machine, gpus, unit) -> None:
    machine(4, gpus)
    with pytest.raises(ValueError, match=f"--concurrent is 5 but must be in 1..{unit[0]}: a trial uses one of {unit}"):
        cluster.local(5)


def test_ray_is_told_of_the_cores_this_process_may_use(machine, monkeypatch) -> None:
    machine(cores=3)
    told = {}
    monkeypatch.setattr(ray, "init", lambda **options: told.update(options))
    assert cluster.connect(concurrent=2).slots == 2
    assert told["num_cpus"] == 3 and "address" not in told


@pytest.mark.parametrize("error", [ConnectionError, ValueError, RuntimeError])
def test_a_cluster_that_cannot_be_reached_is_one_line(monkeypatch, error) -> None:
    def unreachable(**options) -> None:
        raise error("nobody there\nand more lines")

    monkeypatch.setattr(ray, "init", unreachable)
    with pytest.raises(ValueError, match=r"^no Ray cluster can be reached at 'h:1': nobody there$"):
        cluster.connect("h:1")


def test_a_joined_cluster_offers_what_it_has(monkeypatch) -> None:
    monkeypatch.setattr(ray, "init", lambda **options: None)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 24.0, "GPU": 3.0, "memory": 1.0})
    assert cluster.connect("auto") == Cluster(3, {"gpu": 1.0, "cpu": 2.0}, True)


def test_a_cluster_without_anything_to_train_on_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(ray, "init", lambda **options: None)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"memory": 1.0})
    with pytest.raises(ValueError, match="neither a GPU nor a core"):
        cluster.connect("auto")


def test_a_raylet_that_tells_of_a_dead_worker_is_not_heard(monkeypatch, capsys) -> None:
    monkeypatch.setattr(ray, "init", lambda **options: None)
    monkeypatch.setattr(ray_logging.stdout_deduplicator, "skip_re", None)
    note = {"lines": ["A worker died"], "pid": "raylet", "is_err": False}
    worker.print_to_stdstream(note, ignore_prefix=False)
    assert "A worker died" in capsys.readouterr().out
    cluster.connect(concurrent=1)
    worker.print_to_stdstream(note, ignore_prefix=False)
    assert capsys.readouterr().out == ""
