"""Connection to Ray: start one on this machine or join a cluster, and leave it at the end."""

from __future__ import annotations

import atexit
import logging
import os
import re
from collections.abc import Callable

import ray
from ray._private.ray_logging import stdout_deduplicator
from ray.exceptions import RayError

from results.store.resume_command import RUN_PROGRAM
from terminal import program
from terminal.complaint import complain
from terminal.console import Console
from terminal.exit_codes import FAILED
from terminal.program import flush
from tuner.cluster import capacity, leftovers, nodes, own_ray, probe, reachable
from tuner.cluster.capacity import Cluster
from tuner.cluster.in_time import in_time
from tuner.cluster.placement import Node, Placement
from tuner.cluster.ray_errors import ray_error_line
from tuner.cluster.ray_signals import handlers_kept
from tuner.cluster.ray_tune import prepare_environment

TRY_SECONDS = 180.0  # for a first worker, on a machine that is busy
JOIN_SECONDS = 120.0  # for a cluster to let this process in, which takes one that works some seconds


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
        found = capacity.of_this_machine(concurrent, placement)
        for line in leftovers.clean(own_ray.bases()):
            say(line)
        if told := own_ray.start(max(capacity.available_cores(), found.slots), found.resources.get("gpu", 1.0) < 1):
            say(told)
        return found
    reachable.check(address)
    return capacity.offered(_joined(address), concurrent, placement, may_grow=True)


def _joined(address: str) -> list[Node]:
    """The nodes of the cluster at an address; a ValueError where it refuses, and where it does not answer."""
    found: list[Node] = []

    def join() -> None:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        found.extend(nodes.alive())

    try:
        with handlers_kept():
            answered = in_time(join, JOIN_SECONDS)
    except (ConnectionError, ValueError, RuntimeError, RayError) as error:
        raise ValueError(f"no Ray cluster can be reached at {address!r}: {ray_error_line(error)}") from None
    if not answered:
        atexit.register(_leave)  # or Ray's own leave-taking would wait as long again
        raise ValueError(f"the Ray cluster at {address!r} does not answer: nothing came within {JOIN_SECONDS:g} s")
    return found


def disconnect() -> None:
    """End the Ray that was started here, or leave the cluster that was joined. A line says where it does not answer."""
    own = own_ray.is_running()
    if not (own_ray.stop() if own else in_time(ray.shutdown, own_ray.LEAVE_SECONDS)):
        done = "its processes were ended" if own else "it was left without a word"
        complain(RUN_PROGRAM, f"note: Ray did not answer for {own_ray.LEAVE_SECONDS:g} s at the end: {done}")
        atexit.register(_leave)


def abandon() -> None:
    """Abandon a Ray that is dead. Taking leave of it, which Ray does at the end of a process, would not end."""
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
        why = ray_error_line(error)
    if why:
        disconnect()
        raise ValueError(f"Ray started on this machine, but cannot run a trial: {why}")
