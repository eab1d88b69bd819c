"""The part of a GPU for each trial by its memory (``--gpu-fraction auto``): as many trials share one as surely fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from trainable.config import TrainConfig
from trainable.worker.out_of_memory import CONTEXT_BYTES
from tuner.cluster import capacity, device_memory, gpus
from tuner.cluster.capacity import GIB, Cluster
from tuner.cluster.placement import AUTO, MOST_SHARING, Placement, part_for
from tuner.spec import CampaignSpec

MARGIN = 1.5  # over the base's need: other configs of the space may need more


def check_shared(address: str | None) -> None:
    """Raise a ValueError where there is nothing to share: this machine has no GPU. A cluster is asked once joined."""
    if address is None and gpus.count() == 0:
        raise ValueError("--gpu-fraction auto shares a GPU among trials, but this machine has none: leave it out")


def trials_on_one(need: float, total: int) -> int:
    """Number of trials that share a GPU of ``total`` bytes, from 1 to the most; each needs so many bytes of it."""
    return max(1, min(MOST_SHARING, math.floor(total / need)))


def settled(here: Cluster, configs: Sequence[TrainConfig], spec: CampaignSpec, address: str | None) -> Cluster:
    """The machines with as many trials on each GPU as fit, by the largest of ``configs``, and a line for the plan.

    ``address`` is that of a joined cluster. A ValueError where no GPU says what memory it has.
    """
    total = _smallest(address)
    checkpointing = bool(spec.checkpoint_activations)
    largest = max(device_memory.needed_by(config, checkpointing).total for config in configs)
    need = largest * MARGIN + CONTEXT_BYTES
    trials = trials_on_one(need, total)
    found = _with(Placement(part_for(trials), spec.cpus), spec.concurrent, address)
    each = (
        f"about {need / GIB:.1f} GiB ({largest / GIB:.1f} by a count of its tensors, times {MARGIN:g}, and CUDA's own)"
    )
    most = f", at most {MOST_SHARING}" if trials == MOST_SHARING else ""
    note = f"GPU: {trials} on each of {total / GIB:.1f} GiB{most} (--gpu-fraction {AUTO}): a trial takes {each}"
    return replace(found, notes=(*here.notes, note))


def _smallest(address: str | None) -> int:
    """The bytes of the smallest GPU that trials may run on."""
    if address is not None:
        from tuner.cluster import nodes  # with Ray

        smallest = nodes.smallest_gpu(nodes.alive())
    else:
        try:
            smallest = min(gpus.memory_of_each(), default=None)
        except OSError as error:
            raise ValueError(f"the GPUs of this machine do not say what memory they have: {error}") from None
    if smallest is None:
        raise ValueError("--gpu-fraction auto goes by a GPU's memory, but there is no GPU yet: give a number")
    return smallest


def _with(placement: Placement, concurrent: int | None, address: str | None) -> Cluster:
    if address is None:
        return capacity.of_this_machine(concurrent, placement)
    from tuner.cluster import nodes

    return capacity.offered(nodes.alive(), concurrent, placement, may_grow=True)
