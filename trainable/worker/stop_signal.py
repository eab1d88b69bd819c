"""The message to every running trial that the campaign ends: a Ray actor which all of them wait for.

Where many trials run, or the campaign lies in an object store, looking into its folder for that is slow and costs
requests. A trial of this cluster hears the message within half a second, whatever their number, and asks nothing
meanwhile. The sign in the folder stays for those whom no message reaches: it is looked at once a minute.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import Any

import ray  # noqa: TID251  (beside ray_trainable.py, which uses it)
from ray.exceptions import RayError  # noqa: TID251

FOLDER_LOOK_SECONDS = 60.0  # between two looks into the folder where the message is waited for
MOST_WAITING = 100_000  # calls at a time: a trial is one
HEAD = {"node:__internal_head__": 0.001}  # beside the driver, on the node that no trial's end takes away


class _Signal:
    """The actor. An event of asyncio, since ten thousand threads that wait would be too many."""

    def __init__(self) -> None:
        self.sent = asyncio.Event()

    async def wait(self) -> None:
        """Return once the message was sent."""
        await self.sent.wait()

    async def send(self) -> None:
        self.sent.set()


class StopSignal:
    """The driver's end. The actor lives as long as this does, and nothing waits for its start."""

    def __init__(self) -> None:
        self.name = f"stop-{uuid.uuid4().hex}"
        options = {"name": self.name, "num_cpus": 0, "max_concurrency": MOST_WAITING, "resources": HEAD}
        self._actor: Any = ray.remote(_Signal).options(**options).remote()
        self._is_sent = False

    def send(self) -> None:
        """Tell all who wait, and who will; only the first call does."""
        if not self._is_sent:
            self._is_sent = True
            with suppress(RayError):  # the sign in the folder is still there
                self._actor.send.remote()


class StopListener:
    """A trial's end of the signal of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._answer: Any = None
        with suppress(RayError, ValueError):  # a ValueError where there is no actor of that name
            self._answer = ray.get_actor(name).wait.remote()

    @property
    def is_connected(self) -> bool:
        """Tell whether the message would come; where not, the folder is to be looked into."""
        return self._answer is not None

    def heard(self) -> bool:
        """Tell whether the campaign ends; asks nobody over the network."""
        if self._answer is None or not ray.wait([self._answer], timeout=0, fetch_local=False)[0]:
            return False
        try:
            ray.get(self._answer)
        except RayError:  # the actor is dead
            self._answer = None
            return False
        return True
