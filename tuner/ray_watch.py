"""A driver does not outlive its Ray by long: Ray's processes are watched, and their death ends the campaign in peace.

Left alone, a driver waits for ever after its raylet has died; after its GCS (the server of Ray's head) it is aborted
without a line. Here the campaign's next step raises a :class:`RayDiedError`: rows are closed as interrupted,
checkpoints stay, the line says how to go on. Where Tune hangs in a call to what has died, the watching thread does the
same.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tuner.lost import RayDiedError

LOOK_SECONDS = 1.0
UNREACHABLE_SECONDS = 15.0  # without a connection, after which a server on another machine counts as dead
PATIENCE_SECONDS = 8.0  # for the campaign's next step, and for Tune to clean up

VITAL = ("gcs_server", "raylet")


class Watch:
    """Asks ``death`` all the time why Ray is dead; an empty answer is that it lives.

    ``last_resort`` is called with the reason, in a thread of its own, where the watch is not over a while after that.
    """

    def __init__(self, death: Callable[[], str], last_resort: Callable[[str], Any]) -> None:
        self.death, self.last_resort = death, last_resort
        self.died = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        """A RayDiedError if Ray is dead."""
        if self.died:
            raise RayDiedError(self.died)

    def stop(self) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            if why := self.death():
                self.died = why
                if not self._over.wait(PATIENCE_SECONDS):
                    self.last_resort(why)
                return


@contextmanager
def watched(last_resort: Callable[[str], Any]) -> Iterator[Watch]:
    """Watch the connected Ray for the time of the block."""
    from ray._private import worker

    node = worker._global_node
    watch = Watch((lambda: "") if node is None else _death_of(node), last_resort)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def _death_of(node: Any) -> Callable[[], str]:
    if node.is_head() and node.ray_init_cluster:  # started here: its processes are our children
        return lambda: dead_child(node.dead_processes())
    host, _, port = str(node.gcs_address).rpartition(":")
    here = (str(node.node_ip_address), int(node.node_manager_port))
    servers = {"the head of the cluster": (host.strip("[]"), int(port)), "the raylet of this node": here}
    return Unreachable(servers).death


def dead_child(dead: list[tuple[str, Any]]) -> str:
    """The first of the processes that Ray cannot do without, and how it ended."""
    for name, process in dead:
        if name in VITAL:
            code = process.returncode
            return f"its process {name} {f'was killed by signal {-code}' if code < 0 else f'ended with code {code}'}"
    return ""


class Unreachable:
    """Servers that nobody can connect to for a while."""

    def __init__(self, servers: dict[str, tuple[str, int]], clock: Callable[[], float] = time.monotonic) -> None:
        self.servers, self.clock = servers, clock
        self.reached = dict.fromkeys(servers, clock())

    def death(self) -> str:
        for name, (host, port) in self.servers.items():
            try:
                socket.create_connection((host, port), timeout=LOOK_SECONDS).close()
            except OSError as error:
                if self.clock() - self.reached[name] >= UNREACHABLE_SECONDS:
                    return f"{name} ({host}:{port}) cannot be reached: {error.strerror or error}"
            else:
                self.reached[name] = self.clock()
        return ""
