"""What a machine leaves to trials, read from made-up trees of /proc and /sys/fs/cgroup."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tuner.cluster import capacity, machine, trial_memory
from tuner.cluster.capacity import Cluster
from tuner.cluster.counted_shapes import shapes_counted
from tuner.cluster.machine import Share

GIB = 2**30
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "31 30 0:27 {inside} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 {inside} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)


@pytest.fixture(autouse=True)
def hardware(monkeypatch) -> None:
    """A host of 64 cores, all of which this process may run on."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)


@pytest.fixture
def tree(tmp_path) -> Callable[..., Path]:
    """A root file system with these files."""

    def make(**files: str) -> Path:
        for name, text in {"proc/meminfo": "MemTotal: 1 kB\nMemAvailable:   67108864 kB\n", **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return make


def grouped(own: str, mounts: str, **files: str) -> dict[str, str]:
    return {"proc/self/cgroup": own, "proc/self/mountinfo": mounts} | {
        f"sys/fs/cgroup/{n}": t for n, t in files.items()
    }


def test_without_limits_the_hardware_is_the_limit(tree) -> None:
    root = tree()
    assert machine.cores(root, {}) == Share(64, "the machine has no more")
    assert machine.memory(root, {}) == Share(64 * GIB, "the machine has no more free")


def test_affinity_counts(tree, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    assert machine.cores(tree(), {}) == Share(2, "the CPU affinity of this process")


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("100000 100000", 1),
        ("250000 100000", 2),
        ("50000 100000", 1),
        ("max 100000", 64),
        ("400000", 4),
        ("nonsense", 64),
    ],
)
def test_a_containers_quota_counts(tree, quota, cores) -> None:
    root = tree(**grouped("0::/\n", V2, **{"cpu.max": f"{quota}\n"}))
    assert machine.cores(root, {}).amount == cores


def test_of_nested_groups_the_smallest_quota_counts(tree) -> None:
    root = tree(
        **grouped(
            "0::/user.slice/job/step\n",
            V2,
            **{
                "user.slice/cpu.max": "800000 100000\n",
                "user.slice/job/cpu.max": "300000 100000\n",
                "user.slice/job/step/cpu.max": "max 100000\n",
                "user.slice/memory.max": f"{8 * GIB}\n",
                "user.slice/memory.current": f"{5 * GIB}\n",
                "user.slice/memory.stat": f"anon 1\ninactive_file {2 * GIB}\n",
                "user.slice/job/memory.high": f"{6 * GIB}\n",
                "user.slice/job/memory.max": "max\n",
                "user.slice/job/memory.current": f"{GIB // 2}\n",
            },
        )
    )
    assert machine.cores(root, {}) == Share(3, "the CPU quota of cgroup /user.slice/job")
    assert machine.memory(root, {}) == Share(5 * GIB, "the memory limit of cgroup /user.slice")


@pytest.mark.parametrize(("own", "inside"), [("/docker/abc", "/docker/abc"), ("/docker/abc", "/"), ("/../other", "/")])
def test_a_quota_of_version_1_counts_where_it_is_mounted(tree, own, inside) -> None:
    within = own.strip("/") + "/" if (own, inside) == ("/docker/abc", "/") else ""
    root = tree(
        **grouped(
            f"12:memory:{own}\n4:cpu,cpuacct:{own}\n0::/\n",
            V1.format(inside=inside),
            **{
                f"cpu,cpuacct/{within}cpu.cfs_quota_us": "150000\n",
                f"cpu,cpuacct/{within}cpu.cfs_period_us": "50000\n",
                f"memory/{within}memory.limit_in_bytes": f"{2 * GIB}\n",
                f"memory/{within}memory.usage_in_bytes": f"{GIB}\n",
                f"memory/{within}memory.stat": f"inactive_file 0\ntotal_inactive_file {GIB // 2}\n",
            },
        )
    )
    assert machine.cores(root, {}).amount == 3
    found = machine.memory(root, {})
    assert found is not None and found.amount == 1.5 * GIB and "the memory limit of cgroup /" in found.why


def test_a_group_of_version_1_without_limits_is_none(tree) -> None:
    files = {"cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"}
    files["memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    root = tree(**grouped("12:memory:/\n4:cpu,cpuacct:/\n", V1.format(inside="/"), **files))
    assert machine.cores(root, {}).amount == 64
    assert machine.memory(root, {}) == Share(64 * GIB, "the machine has no more free")


def test_a_mount_point_with_a_space_is_found(tree) -> None:
    mounts = V2.replace("/sys/fs/cgroup", r"/sys/fs/cgroup/my\040groups")
    root = tree(**grouped("0::/\n", mounts, **{"my groups/cpu.max": "200000 100000\n"}))
    assert machine.cores(root, {}).amount == 2


@pytest.mark.parametrize(
    ("variables", "cores", "gib"),
    [
        ({"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "32"}, 4, 64),
        ({"SLURM_CPUS_ON_NODE": "16", "SLURM_MEM_PER_NODE": "10240"}, 16, 10),
        ({"SLURM_CPUS_ON_NODE": "8", "SLURM_MEM_PER_CPU": "2048"}, 8, 16),
        ({"SLURM_CPUS_ON_NODE": "8", "SLURM_MEM_PER_NODE": "0"}, 8, 64),
        ({"SLURM_CPUS_ON_NODE": "many"}, 64, 64),
    ],
)
def test_the_share_of_a_slurm_job_counts(tree, variables, cores, gib) -> None:
    root = tree()
    assert machine.cores(root, variables).amount == cores
    found = machine.memory(root, variables)
    assert found is not None and found.amount == gib * GIB


@pytest.fixture
def here(monkeypatch) -> Callable[..., Cluster]:
    """This machine, with made-up shares."""

    def make(cores: Share, free: Share | None = None, concurrent: int | None = None) -> Cluster:
        monkeypatch.setattr(machine, "cores", lambda: cores)
        monkeypatch.setattr(machine, "memory", lambda: free)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
        return capacity.of_this_machine(concurrent)

    return make


def test_the_plan_says_why_there_are_fewer_slots_than_cores(here) -> None:
    found = here(Share(1, "the CPU quota of cgroup /docker/abc"))
    assert found.slots == 1
    assert found.notes == ("cores: 1 of the machine's 64, by the CPU quota of cgroup /docker/abc",)
    assert here(Share(64, "the machine has no more")).notes == ()
    with pytest.raises(ValueError, match=r"--concurrent is 2 but must be in 1\.\.1: .*by the CPU quota of cgroup /d"):
        here(Share(1, "the CPU quota of cgroup /d"), concurrent=2)


def test_as_many_trials_run_as_fit_into_memory(here, toy_base) -> None:
    need = trial_memory.of_trial(toy_base, False, shapes_counted(toy_base))
    for room, slots in ((5.5, 5), (64.0, 8), (1.2, 1), (0.3, 1)):
        free = Share(trial_memory.RAY_BYTES + room * need, "the memory limit of cgroup /x")
        found = capacity.fitted(here(Share(8, "made up"), free), toy_base, None, shapes_counted(toy_base))
        assert found.slots == slots and len(found.notes) == (1 if room >= 8 else 2)
    assert found.notes[1].endswith("by the memory limit of cgroup /x; one at a time, which may be too much")
    assert capacity.fitted(here(Share(8, "made up"), None), toy_base, None, shapes_counted(toy_base)).slots == 8


def test_more_trials_than_fit_into_memory_are_refused(here, toy_base) -> None:
    need = trial_memory.of_trial(toy_base, False, shapes_counted(toy_base))
    found = here(
        Share(8, "made up"), Share(trial_memory.RAY_BYTES + 2.5 * need, "the Slurm job (SLURM_MEM_PER_NODE)"), 3
    )
    with pytest.raises(ValueError, match=r"--concurrent is 3 but must be in 1\.\.2: a trial takes .* by the Slurm job"):
        capacity.fitted(found, toy_base, 3, shapes_counted(toy_base))
    assert capacity.fitted(found, toy_base, 2, shapes_counted(toy_base)).slots == 2


def test_a_larger_model_and_a_larger_batch_need_more_memory(toy_base) -> None:
    def with_values(**values: object) -> int:
        from trainable.component_paths import with_values

        config = with_values(toy_base, {k.replace("__", "."): v for k, v in values.items()})
        return trial_memory.of_trial(config, False, shapes_counted(config))

    small = trial_memory.of_trial(toy_base, False, shapes_counted(toy_base))
    assert trial_memory.WORKER_BYTES < small < with_values(model__model_dim=256)
    assert with_values(data__batch_tokens=65536) > with_values(data__batch_tokens=65536, data__grad_accum_steps=16)
    assert trial_memory.of_trial(toy_base, True, shapes_counted(toy_base)) == trial_memory.GPU_WORKER_BYTES
