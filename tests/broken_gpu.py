"""The real command with a trainable whose GPU fails: what tests/test_broken_gpu.py starts, in driver and workers alike.

There is no GPU: the errors are those that torch raises, with what a worker adds to them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from trainable.worker import trial_worker
from trainable.worker.out_of_memory import Facts
from trainable.worker.ray_trainable import RayTrainable
from trainable.worker.request import Request
from trainable.worker.trial_worker import TrialWorker

trial_worker.POLL_SECONDS = 0.0
FOLDER = Path(os.environ.get("BROKEN_GPU_FOLDER", ""))  # has a file a trial, with the process of each attempt
ILLEGAL = (
    "CUDA error: an illegal memory access was encountered\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side "
    "assertions.\n"
)
ASKED = "CUDA out of memory. Tried to allocate 2.00 GiB."
GIB = 2**30
KINDS = {1: "broken", 2: "neighbour", 3: "own", 4: "own", 5: "own"}  # which trial begun -> how its first attempt ends


class BrokenWorker(TrialWorker):
    """A trial whose GPU fails in its third step."""

    def begin(self, request: Request) -> None:
        log = FOLDER / request.key
        number = int(log.read_text().split()[0]) if log.exists() else len(list(FOLDER.iterdir()))
        with log.open("a") as file:
            file.write("" if log.stat().st_size else f"{number}\n")
            file.write(f"{os.getpid()}\n")
        self.kind, self.calls = KINDS.get(number, "") if request.attempt == 1 else "", 0
        super().begin(request)

    def should_stop(self) -> bool:
        self.calls += 1
        if self.calls == 3 and self.kind == "broken":
            raise RuntimeError(ILLEGAL)
        if self.calls == 3 and self.kind:
            held = GIB if self.kind == "neighbour" else 18 * GIB
            error = torch.OutOfMemoryError(ASKED)
            error.add_note(str(Facts(19 * GIB, held, held, GIB, 80 * GIB)))
            raise error
        return super().should_stop()


class BrokenTrainable(RayTrainable):
    """What Ray sees of it."""

    new_worker = staticmethod(BrokenWorker)


def main() -> int:
    """The command line of tuner.run."""
    from tuner import run
    from tuner.cluster import ray_tune

    ray_tune.RayTrainable = BrokenTrainable  # type: ignore[misc]
    return run.main(sys.argv[1:])
