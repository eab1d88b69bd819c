"""Processes that a plan starts beside itself and speaks with by lines, each a module of ours run as a program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def started(module: str, number: int, variables: Mapping[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run ``module`` so many times within the block, with these variables of the environment too; one thread each."""
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, **variables, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    begun: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(number):
            begun.append(
                subprocess.Popen(
                    [sys.executable, "-m", module],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                    start_new_session=True,  # Ctrl-C is for whoever started it, who ends it
                )
            )
        yield begun
    finally:
        for process in begun:
            process.kill()
        for process in begun:
            process.communicate()
