"""Connecting to Ray, and what one trial may use of it: a device, or a core."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass

import ray
import torch
from ray._private.ray_logging import stdout_deduplicator

from tuner.ray_shell import prepare_environment

CPUS_BESIDE_A_GPU = 2  # for the Python around it and the data
OBJECT_STORE_BYTES = 100_000_000  # Tune passes reports, not data


@dataclass(frozen=True)
class Cluster:
    """How many trials run at once, and what each of them gets."""

    slots: int
    resources: dict[str, float]
    has_gpu: bool

    @property
    def about(self) -> str:
        unit = "GPU" if self.has_gpu else "core"
        return f"{self.slots} {unit}{'s' * (self.slots > 1)}"


def local(concurrent: int | None = None) -> Cluster:
    """What this machine offers, without starting Ray."""
    return _cluster(torch.cuda.device_count(), available_cores(), concurrent)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def connect(address: str | None = None, concurrent: int | None = None) -> Cluster:
    """Start Ray on this machine, or join the cluster at ``address``. A ValueError where it cannot be reached."""
    prepare_environment()
    # What raylets say of a worker that died is in its trial's row. Ray reads its own setting for this at its import.
    stdout_deduplicator.skip_re = re.compile("")
    if address is None:
        found = local(concurrent)
        ray.init(
            num_cpus=max(available_cores(), found.slots),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=OBJECT_STORE_BYTES,
        )
        return found
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ValueError(f"no Ray cluster can be reached at {address!r}: {str(error).splitlines()[0]}") from None
    have: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return _cluster(int(have.get("GPU", 0)), int(have.get("CPU", 0)), concurrent)


def _cluster(gpus: int, cores: int, concurrent: int | None) -> Cluster:
    slots = gpus or cores
    if not slots:
        raise ValueError("the cluster has neither a GPU nor a core to run a trial on")
    if concurrent is not None and not 1 <= concurrent <= slots:
        unit = "GPUs" if gpus else "cores"
        raise ValueError(f"--concurrent is {concurrent} but must be in 1..{slots}: a trial uses one of {slots} {unit}")
    resources = {"cpu": 1.0}
    if gpus:  # where cores are scarcer than GPUs, each trial counts as part of one, so that no GPU is left idle
        resources = {"gpu": 1.0, "cpu": float(min(CPUS_BESIDE_A_GPU, cores // gpus) or cores / gpus)}
    return Cluster(concurrent or slots, resources, gpus > 0)
