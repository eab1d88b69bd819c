"""Connecting to Ray, and how many trials run at once on what is there."""

from __future__ import annotations

import atexit
import logging
import os
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import ray
import torch
from ray._private.ray_logging import stdout_deduplicator
from ray.exceptions import RayError

from terminal import program
from terminal.complaint import complain
from terminal.console import Console
from terminal.counted import counted
from terminal.exit_codes import FAILED
from terminal.program import flush
from trainable.config import TrainConfig
from tuner import leftovers, machine, memory, nodes, own_ray, probe, reachable
from tuner.again import PROGRAM
from tuner.in_time import in_time
from tuner.nodes import Node
from tuner.placement import Placement, slots
from tuner.ray_errors import one_line
from tuner.ray_shell import prepare_environment
from tuner.ray_signals import handlers_kept
from tuner.spec import CampaignSpec

GIB = 2**30
TRY_SECONDS = 180.0  # for a first worker, on a machine that is busy


@dataclass(frozen=True)
class Cluster:
    """How many trials run at once, and what each of them gets."""

    slots: int
    resources: dict[str, float]
    has_gpu: bool
    placement: Placement = Placement()
    notes: tuple[str, ...] = field(default=(), compare=False)  # why there are no more slots, for the plan

    @property
    def about(self) -> str:
        part = self.resources.get("gpu", self.resources["cpu"])
        if part != 1.0:
            return f"{self.slots} x {part:g} {'GPU' if self.has_gpu else 'cores'}"
        unit = "GPU" if self.has_gpu else "core"
        return counted(self.slots, unit)


def local(concurrent: int | None = None, placement: Placement | None = None) -> Cluster:
    """What this machine offers, without starting Ray."""
    cores, share, there = available_cores(), machine.cores(), os.cpu_count() or 1
    here = Node("", socket.gethostname(), torch.cuda.device_count(), cores)
    limit = f"{cores} of the machine's {there}, by {share.why}" if cores == share.amount < there else ""
    try:
        found = _cluster([here], concurrent, placement or Placement())
    except ValueError as error:
        raise ValueError(f"{error}{limit and f' (cores: {limit})'}") from None
    return replace(found, notes=(f"cores: {limit}",) if limit else ())


def fitted(here: Cluster, config: TrainConfig, concurrent: int | None) -> Cluster:
    """As many slots as trials of ``config`` fit into the free memory of this machine, and at least one.

    A ValueError where more were asked for (``concurrent``).
    """
    if (free := machine.memory()) is None:
        return here
    need = memory.of_trial(config, here.has_gpu)
    room = max(0, int((free.amount - memory.RAY_BYTES) // need))
    if room >= here.slots:
        return here
    takes = f"a trial takes about {need / GIB:.1f} GiB, and {free.amount / GIB:.1f} GiB may be used, by {free.why}"
    if concurrent is not None and concurrent > max(1, room):
        raise ValueError(f"--concurrent is {concurrent} but must be in 1..{max(1, room)}: {takes}")
    note = f"memory: {takes}" + ("" if room else "; one at a time, which may be too much")
    return replace(here, slots=max(1, room), notes=(*here.notes, note))


def find(spec: CampaignSpec, address: str | None) -> Cluster:
    """What a campaign is to run on: the cluster at ``address``, which is joined here, or this machine."""
    placement = Placement(spec.gpu_fraction, spec.cpus)
    return local(spec.concurrent, placement) if address is None else connect(address, spec.concurrent, placement)


def available_cores() -> int:
    """Cores that this process may use: less than the machine has, where affinity, a cgroup or Slurm leaves it fewer."""
    return int(machine.cores().amount)


def _tell(line: str) -> None:
    Console(stderr=True).print(line)


def connect(
    address: str | None = None,
    concurrent: int | None = None,
    placement: Placement | None = None,
    say: Callable[[str], None] = _tell,
) -> Cluster:
    """Start Ray on this machine, or join the cluster at ``address``. A ValueError where it cannot be reached.

    A cluster that is joined may grow: there, ``concurrent`` may be more than what it has now. Before one is started
    here, what killed runs have left is ended, and ``say`` is told.
    """
    prepare_environment()
    # What raylets say of a worker that died is in its trial's row. Ray reads its own setting for this at its import.
    stdout_deduplicator.skip_re = re.compile("")
    placement = placement or Placement()
    if address is None:
        found = local(concurrent, placement)
        for line in leftovers.clean(own_ray.bases()):
            say(line)
        own_ray.start(max(available_cores(), found.slots))
        return found
    reachable.check(address)
    try:
        with handlers_kept():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, RayError) as error:
        raise ValueError(f"no Ray cluster can be reached at {address!r}: {one_line(error)}") from None
    return _cluster(nodes.alive(), concurrent, placement, may_grow=True)


def disconnect() -> None:
    """End the Ray that was started here, or leave the cluster that was joined. A line says where it does not answer."""
    own = own_ray.is_running()
    if not (own_ray.stop() if own else in_time(ray.shutdown, own_ray.LEAVE_SECONDS)):
        done = "its processes were ended" if own else "it was left without a word"
        complain(PROGRAM, f"note: Ray did not answer for {own_ray.LEAVE_SECONDS:g} s at the end: {done}")
        atexit.register(_leave)


def abandon() -> None:
    """Let go of a Ray that is dead. Taking leave of it, which Ray does at the end of a process, would not end."""
    if ray.is_initialized():
        atexit.register(_leave)  # the last that is registered comes first
    own_ray.stop(dead=True)


def _leave() -> None:
    flush()
    os._exit(FAILED if program.status is None else program.status)


def try_out(found: Cluster) -> None:
    """See that Ray can start a worker which finds this code; a ValueError where it cannot, and Ray is gone again."""
    gpus = found.resources.get("gpu", 0)

    def run_one() -> None:
        remote = ray.remote(num_cpus=found.resources["cpu"], num_gpus=gpus, max_retries=0)(probe.answer)
        ray.get(remote.remote())

    why = ""
    try:
        if not in_time(run_one, TRY_SECONDS):
            why = f"no worker was ready within {TRY_SECONDS:g} s"
    except RayError as error:
        why = one_line(error)
    if why:
        disconnect()
        raise ValueError(f"Ray started on this machine, but cannot run a trial: {why}")


def _cluster(found: Sequence[Node], concurrent: int | None, placement: Placement, may_grow: bool = False) -> Cluster:
    needed = placement.resources(found)
    gpus, cores = sum(node.gpus for node in found), sum(node.cores for node in found)
    most = sum(slots(node, needed) for node in found)
    if concurrent is None or not may_grow:
        if not most:
            raise ValueError(_nothing_fits(needed, gpus, cores, may_grow))
        if concurrent is not None and concurrent > most:
            one = f"{needed['gpu']:g} of a GPU" if needed.get("gpu", 1) < 1 else f"{needed['cpu']:g} cores"
            whole = needed.get("gpu") == 1 or needed == {"cpu": 1.0}
            there = counted(gpus, "GPU") if "gpu" in needed else counted(cores, "core")
            uses = f"one of {there}" if whole else f"{one}; in all: {there}"
            raise ValueError(f"--concurrent is {concurrent} but must be in 1..{most}: a trial uses {uses}")
    elif not gpus and not cores and placement == Placement():
        # Cores by default would put several trials on one GPU of a node to come, none of which has reserved it.
        raise ValueError(
            "the cluster has no node for trials yet: say what each gets of those to come, "
            "--gpu-fraction 1 (a GPU) or --cpus 1 (a core)"
        )
    return Cluster(concurrent or most, needed, "gpu" in needed, placement)


def _nothing_fits(needed: dict[str, float], gpus: int, cores: float, may_grow: bool) -> str:
    if not gpus and not cores:
        grows = "; if it grows on demand, say to how many trials by --concurrent" if may_grow else ""
        return f"the cluster has neither a GPU nor a core to run a trial on{grows}"
    wanted = " and ".join(f"{amount:g} {name.upper()}" for name, amount in needed.items())
    return f"no node has {wanted} for a trial; in all: {counted(gpus, 'GPU')}, {counted(cores, 'core')}"
