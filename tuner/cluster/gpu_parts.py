"""The part of a GPU for each trial by its memory (``--gpu-fraction auto``): as many trials share one as surely fit."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

from trainable.config import TrainConfig
from trainable.worker.out_of_memory import CONTEXT_BYTES
from tuner.cluster import capacity, device_memory, gpus
from tuner.cluster.capacity import GIB, Cluster
from tuner.cluster.placement import AUTO, MOST_SHARING, Placement, part_for
from tuner.spec import CampaignSpec

MARGIN = 1.5  # over the base's need, which is a rule of thumb: other configs of the space may need more
ASK_SECONDS = 120.0
ASKED = """
import torch
print(*(torch.cuda.get_device_properties(each).total_memory for each in range(torch.cuda.device_count())))
"""


def check_known(address: str | None) -> None:
    """Raise a ValueError where the memory of the GPUs that trials will run on cannot be known: there are none here."""
    if address is not None:
        raise ValueError(
            "--gpu-fraction auto goes by the memory of this machine's GPUs: with --address give the part as a number"
        )
    if gpus.count() == 0:
        raise ValueError("--gpu-fraction auto shares a GPU among trials, but this machine has none: leave it out")


def memory_of_each(asked: str = ASKED) -> list[int]:
    """Ask a process of its own, which leaves no context on them, for the bytes of each GPU of this machine.

    A ValueError where it does not say.
    """
    try:
        command = [sys.executable, "-c", asked]
        said = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=True).stdout
        found = [int(number) for number in said.split()]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        why = (getattr(error, "stderr", None) or "").strip().splitlines()
        raise ValueError(f"the GPUs of this machine do not say what memory they have: {(why or [error])[-1]}") from None
    if not found:
        raise ValueError("--gpu-fraction auto shares a GPU among trials, but torch sees none here: leave it out")
    return found


def trials_on_one(need: float, total: int) -> int:
    """Number of trials that share a GPU of ``total`` bytes, from 1 to the most; each needs so many bytes of it."""
    return max(1, min(MOST_SHARING, math.floor(total / need)))


def settled(here: Cluster, configs: Sequence[TrainConfig], spec: CampaignSpec) -> Cluster:
    """The machine with as many trials on each GPU as fit, by the largest of ``configs``, and a line for the plan."""
    total = min(memory_of_each())
    largest = max(device_memory.needed_by(config).total for config in configs)
    need = largest * MARGIN + CONTEXT_BYTES
    trials = trials_on_one(need, total)
    found = capacity.of_this_machine(spec.concurrent, Placement(part_for(trials), spec.cpus))
    each = f"about {need / GIB:.1f} GiB ({largest / GIB:.1f} by a rule of thumb, times {MARGIN:g}, and CUDA's own)"
    most = f", at most {MOST_SHARING}" if trials == MOST_SHARING else ""
    note = f"GPU: {trials} on each of {total / GIB:.1f} GiB{most} (--gpu-fraction {AUTO}): a trial takes {each}"
    return replace(found, notes=(*here.notes, note))
