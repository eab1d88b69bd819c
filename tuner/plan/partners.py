"""Processes that train beside one that is timed, as the other trials of a campaign will: cores share memory and caches.

``python -m tuner.plan.partners`` is one of them: it reads a config as JSON, with the sources of its components, says
when it trains, and ends with its standard input, so that none outlives who started it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from trainable.component_json import decode, encode
from trainable.config import TrainConfig
from trainable.own import modules as own_modules
from trainable.own.source import Source
from trainable.runtime import Runtime
from tuner.plan.bench import Bench
from tuner.plan.processes import started

MOST = 7  # beside the one that is timed: more would take longer to start than the plan is worth
WAIT_SECONDS = 30.0  # for all of them to train
READY = b"ready\n"


@contextmanager
def training(config: TrainConfig, number: int) -> Iterator[int]:
    """Run up to ``number`` processes within the block that train ``config`` on this machine; gives how many do."""
    asked = {"config": encode(config), "sources": [source.to_json() for source in own_modules.loaded()]}
    with started("tuner.plan.partners", min(number, MOST), {}) as begun:
        for process in begun:
            assert process.stdin is not None
            with suppress(OSError):
                process.stdin.write(json.dumps(asked).encode() + b"\n")
                process.stdin.flush()
        until = time.monotonic() + WAIT_SECONDS
        yield sum(_trains(process, until) for process in begun)


def _trains(process: subprocess.Popen[bytes], until: float) -> bool:
    """Wait until the process says that it trains; False where it does not in time."""
    assert process.stdout is not None
    there, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
    return bool(there) and process.stdout.readline() == READY


def main() -> None:
    """Train until standard input ends."""
    asked = json.loads(sys.stdin.buffer.readline())
    own_modules.load([Source.of_json(source) for source in asked["sources"]])
    config = decode(asked["config"])
    assert isinstance(config, TrainConfig)
    with Bench(config, Runtime()) as bench:
        bench.step()
        os.write(1, READY)
        while not select.select([sys.stdin], [], [], 0)[0]:
            bench.step()


if __name__ == "__main__":
    main()
