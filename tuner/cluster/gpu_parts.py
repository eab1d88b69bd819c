"""Part of a GPU for each trial (``--gpu-fraction auto``): as many share one as surely fit and are worth it together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from trainable.config import TrainConfig
from trainable.worker.out_of_memory import CONTEXT_BYTES
from tuner.cluster import capacity, device_memory, gpus
from tuner.cluster.capacity import GIB, Cluster
from tuner.cluster.placement import AUTO, MOST_SHARING, Placement, part_for
from tuner.cluster.sharing import MeasureShared, Sharing, most_an_hour, number_in_words
from tuner.spec import CampaignSpec

MARGIN = 1.5  # over the base's need: other configs of the space may need more


def check_shared(address: str | None) -> None:
    """Raise a ValueError where there is nothing to share: this machine has no GPU. A cluster is asked once joined."""
    if address is None and gpus.count() == 0:
        raise ValueError("--gpu-fraction auto shares a GPU among trials, but this machine has none: leave it out")


def trials_on_one(need: float, total: int) -> int:
    """Number of trials that share a GPU of ``total`` bytes, from 1 to the most; each needs so many bytes of it."""
    return max(1, min(MOST_SHARING, math.floor(total / need)))


def settled(
    here: Cluster,
    configs: Sequence[TrainConfig],
    spec: CampaignSpec,
    address: str | None,
    measure: MeasureShared | None = None,
    kept: Sharing | None = None,
) -> tuple[Cluster, Sharing]:
    """The machines, with a line for the plan, and the choice: as many trials on each GPU as make most steps together.

    No more than fit, by the largest of ``configs``, of which the first is the base that ``measure`` trains; without it,
    as on a joined cluster at ``address``, as many as fit. What was ``kept`` of an earlier start on such a GPU is not
    measured again. A ValueError where no GPU says what memory it has.
    """
    total, checkpointing = _smallest(address), bool(spec.checkpoint_activations)
    needs = [device_memory.needed_by(config, checkpointing).total for config in configs]
    if kept is not None and kept.measured and kept.gpu_bytes == total:
        sharing, note = kept, f"GPU: {number_in_words(kept)} (--gpu-fraction {AUTO}): as an earlier start {kept.about}"
    else:
        sharing, note = _chosen(needs, total, measure)
    found = _with(Placement(part_for(sharing.trials), spec.cpus), spec.concurrent, address)
    return replace(found, notes=(*here.notes, note)), sharing


def _chosen(needs: Sequence[int], total: int, measure: MeasureShared | None) -> tuple[Sharing, str]:
    """Choose by the bytes that configs need, the base's first, and by what a measurement finds; with a line on it."""
    alone, why = None, "by memory alone"
    if measure is not None:
        alone = measure(1)
        why = "" if alone is not None else "a short run of the base did not train, so by memory alone"
    largest = max(needs)
    way = "by a count of its tensors"
    if alone is not None and alone.reserved_bytes:
        largest, way = round(alone.reserved_bytes * largest / needs[0]), "as measured"
    need = largest * MARGIN + CONTEXT_BYTES
    room = trials_on_one(need, total)
    sharing = Sharing(room, total)
    if alone is not None and measure is not None:
        trials, figures = most_an_hour(measure, alone, room)
        sharing = Sharing(trials, total, figures)
        why = sharing.about
    most = f", at most {MOST_SHARING}" if room == MOST_SHARING else ""
    each = f"about {need / GIB:.1f} GiB ({largest / GIB:.1f} {way}, times {MARGIN:g}, and CUDA's own)"
    fits = f"{room} fit{most}: a trial takes {each}"
    return sharing, f"GPU: {number_in_words(sharing)} (--gpu-fraction {AUTO}): {why}; {fits}"


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
