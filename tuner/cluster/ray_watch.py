"""A driver does not outlive its Ray by long: Ray's processes are watched, and their death ends the campaign in peace.

Left alone, a driver waits for ever after its raylet has died; after its GCS (the server of Ray's head) it is aborted
without a line. Here the campaign's next step raises a :class:`RayDiedError`: rows are closed as interrupted,
checkpoints stay, the line says how to go on. Where Tune hangs in a call to what has died, the watching thread does the
same.

A server that hangs (stopped, or in a disk that does not answer) is as good as dead after a minute, when Ray gives up
its node too. The kernel still takes connections for it, so it is asked for an answer: as HTTP/2 begins, which gRPC is.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tuner.failures import RayDiedError

LOOK_SECONDS = 1.0
UNREACHABLE_SECONDS = 15.0  # without a connection, after which a server counts as dead
SILENT_SECONDS = 60.0  # without an answer, the same
ANSWER_SECONDS = 5.0  # to wait for one of them
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # and no settings (RFC 9113, 3.4)
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
    host, _, port = str(node.gcs_address).rpartition(":")
    head, here = (host.strip("[]"), int(port)), (str(node.node_ip_address), int(node.node_manager_port))
    if node.is_head() and node.ray_init_cluster:  # started here: its processes are our children
        asked = Servers({"its process gcs_server": head, "its process raylet": here})
        return lambda: dead_child(node.dead_processes()) or asked.death()
    return Servers({"the head of the cluster": head, "the raylet of this node": here}).death


def dead_child(dead: list[tuple[str, Any]]) -> str:
    """The first of the processes that Ray cannot do without, and how it ended."""
    for name, process in dead:
        if name in VITAL:
            code = process.returncode
            return f"its process {name} {f'was killed by signal {-code}' if code < 0 else f'ended with code {code}'}"
    return ""


class Servers:
    """Servers that are asked for a sign of life."""

    def __init__(self, servers: dict[str, tuple[str, int]], clock: Callable[[], float] = time.monotonic) -> None:
        self.servers, self.clock = servers, clock
        self.looked = clock()
        self.failing: dict[str, float] = {}  # for how many seconds, of those that gave none

    def death(self) -> str:
        """Say why one of the servers counts as dead; empty where none does."""
        now = self.clock()
        # No more than two looks are apart: while this process itself was stopped, nobody failed.
        passed = min(now - self.looked, LOOK_SECONDS + len(self.servers) * ANSWER_SECONDS)
        self.looked = now
        for name, (host, port) in self.servers.items():
            if not (why := sign_of_life(host, port)):
                self.failing.pop(name, None)
                continue
            self.failing[name] = self.failing[name] + passed if name in self.failing else 0.0
            limit = SILENT_SECONDS if why == SILENT else UNREACHABLE_SECONDS
            if self.failing[name] >= limit:
                lately = f" for {limit:g} s" if why == SILENT else ""
                return f"{name} ({host}:{port}) {why}{lately}"
        return ""


SILENT = "has not answered"


def sign_of_life(host: str, port: int) -> str:
    """Ask a gRPC server for one: what is wrong, or nothing. Any answer will do, also that it wants TLS."""
    try:
        connection = socket.create_connection((host, port), timeout=ANSWER_SECONDS)
    except OSError as error:
        return f"cannot be reached: {error.strerror or error}"
    with connection:
        try:
            connection.sendall(PREFACE)
            connection.recv(1)
        except TimeoutError:
            return SILENT
        except OSError:
            pass
    return ""
