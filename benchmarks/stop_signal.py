"""Seconds until many who wait have the message that a campaign ends: ``python -m benchmarks.stop_signal``.

All wait in this process, on the Ray of this machine that it starts. On a cluster each trial waits in a process of its
own, and the network comes in between.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.stop_signal")

import time
from collections.abc import Sequence

from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one
from tuner.cluster import connect

LOOK_SECONDS = 0.01


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what it takes."""
    parser = OneLineParser(prog="python -m benchmarks.stop_signal", description=__doc__)
    parser.add_argument("--waiting", type=at_least_one, default=1_000)
    waiting = parser.parse_args(arguments).waiting
    connect.connect(concurrent=1)
    try:
        import ray

        from trainable.worker.stop_signal import StopListener, StopSignal

        begun = time.monotonic()
        signal = StopSignal()
        listeners = [StopListener(signal.name) for _ in range(waiting)]
        asked = time.monotonic()
        for listener in listeners:
            listener.heard()
        a_look = (time.monotonic() - asked) / waiting
        ray.get(signal._actor.__ray_ready__.remote())  # asked last, so that all wait there
        sent = time.monotonic()
        signal.send()
        while not all(listener.heard() for listener in listeners):
            time.sleep(LOOK_SECONDS)
        over = time.monotonic() - sent
    finally:
        connect.disconnect()
    console = Console()
    console.print(
        f"{waiting:,} began to wait in {asked - begun:.2f} s; to ask whether it came takes {1e6 * a_look:.0f} us"
    )
    console.print(f"all had the message {over:.2f} s after it was sent")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
