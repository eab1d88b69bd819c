"""Number of trials that run at once on a machine or cluster; needs no Ray, which ``connect.py`` starts or joins."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from terminal.counted import counted
from trainable.config import TrainConfig
from tuner.cluster import gpus, machine, trial_memory
from tuner.cluster.counted_shapes import Shapes
from tuner.cluster.placement import Node, Placement, slots

GIB = 2**30


@dataclass(frozen=True)
class Cluster:
    """Number of trials that run at once, and the resources of each."""

    slots: int
    resources: dict[str, float]
    has_gpu: bool
    placement: Placement = Placement()
    notes: tuple[str, ...] = field(default=(), compare=False)  # for the plan: why no more slots, which precision

    def noting(self, line: str) -> Cluster:
        """Add a line for the plan; an empty one adds none."""
        return replace(self, notes=(*self.notes, line)) if line else self

    @property
    def about(self) -> str:
        part = self.resources.get("gpu", self.resources["cpu"])
        if part != 1.0:
            return f"{self.slots} x {part:g} {'GPU' if self.has_gpu else 'cores'}"
        unit = "GPU" if self.has_gpu else "core"
        return counted(self.slots, unit)


def of_this_machine(concurrent: int | None = None, placement: Placement | None = None) -> Cluster:
    """Return what this machine offers, without starting Ray."""
    cores, share, there = available_cores(), machine.cores(), os.cpu_count() or 1
    here = Node("", socket.gethostname(), gpus.count(), cores)
    limit = f"{cores} of the machine's {there}, by {share.why}" if cores == share.amount < there else ""
    try:
        found = offered([here], concurrent, placement or Placement())
    except ValueError as error:
        raise ValueError(f"{error}{limit and f' (cores: {limit})'}") from None
    return replace(found, notes=(f"cores: {limit}",) if limit else ())


def fitted(here: Cluster, config: TrainConfig, concurrent: int | None, shapes: Shapes) -> Cluster:
    """Reduce the slots to as many trials of ``config`` as fit into this machine's free memory, but at least one.

    ``shapes`` are the config's.
    A ValueError where more were asked for (``concurrent``).
    """
    if (free := machine.memory()) is None:
        return here
    need = trial_memory.of_trial(config, here.has_gpu, shapes)
    room = max(0, int((free.amount - trial_memory.RAY_BYTES) // need))
    if room >= here.slots:
        return here
    takes = f"a trial takes about {need / GIB:.1f} GiB, and {free.amount / GIB:.1f} GiB may be used, by {free.why}"
    if concurrent is not None and concurrent > max(1, room):
        raise ValueError(f"--concurrent is {concurrent} but must be in 1..{max(1, room)}: {takes}")
    note = f"memory: {takes}" + ("" if room else "; one at a time, which may be too much")
    return replace(here, slots=max(1, room), notes=(*here.notes, note))


def available_cores() -> int:
    """Cores that this process may use: less than the machine has, where affinity, a cgroup or Slurm leaves it fewer."""
    return int(machine.cores().amount)


def offered(found: Sequence[Node], concurrent: int | None, placement: Placement, may_grow: bool = False) -> Cluster:
    """Count the trials that nodes run at once, at most ``concurrent``; a ValueError where none or fewer fit."""
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
