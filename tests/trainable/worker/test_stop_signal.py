from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LISTENERS = """
import time

import ray

from trainable.worker.stop_signal import StopListener, StopSignal


def until(holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
signal = StopSignal()
many = [StopListener(signal.name) for _ in range(1100)]  # more calls than an actor takes at a time unless it is told
assert all(one.is_connected and not one.heard() for one in many)
signal.send()
until(lambda: all(one.heard() for one in many))
late = StopListener(signal.name)
until(late.heard)

lost = StopSignal()
waits = StopListener(lost.name)
ray.kill(lost._actor)
until(lambda: not waits.heard() and not waits.is_connected)
until(lambda: not StopListener(lost.name).is_connected)
lost.send()
lost.send()
print("all held")
"""


def test_all_who_wait_hear_the_message_and_who_cannot_knows_it() -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "-W", "ignore", "-c", LISTENERS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.stdout.splitlines()[-1:] == ["all held"], done.stdout + done.stderr
