"""Lock of a campaign's one driver where there are no locks (an object store): an object that its owner keeps renewing.

Whoever finds another's watches it for a while, and takes it over if it stays as it is: no two clocks are compared. An
owner that finds another's in its place (it was suspended, or cut off for longer than that) ends its campaign.

Between the look and the first write each puts a claim of its own, and goes on only where it then finds no other's: of
two claims, whoever's is the later one finds both, since a store lists what has been put. So at most one takes it.

What it cannot guarantee: one that is suspended for longer than a claim counts may write once more before it learns that
it is no longer the owner. What it wrote is whole, and of a trial that both began the later attempt is in force
(trainable/worker/attempt.py).
"""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from results.store.campaigns import CAMPAIGN
from storage import files, inside
from storage.inside import GONE
from storage.location import Location
from storage.remote import TooLargeError
from tuner.campaign.lock import BusyError

NAME = ".driver.json"
CLAIMS = ".driver-claims"  # a folder: one object of each that is about to take the campaign
BEAT_SECONDS = 15.0
WATCH_SECONDS = 3 * BEAT_SECONDS  # so long an object that stays as it is has no living owner


class Lease:
    """Lease of a campaign's driver. ``on_lost`` is called with a reason once another process has it."""

    def __init__(self, folder: Location, on_lost: Callable[[str], None]) -> None:
        self.folder = folder
        self.token, self.beats = uuid.uuid4().hex, 0
        self.on_lost = on_lost
        self._over = threading.Event()

    def take(self) -> None:
        """A BusyError where a living process holds it; waits to see whether it lives. An OSError from the store."""
        found = holder(self.folder)
        if found is not None:
            until = time.monotonic() + WATCH_SECONDS
            while (now := holder(self.folder)) == found and time.monotonic() < until:
                time.sleep(BEAT_SECONDS / 5)
            if now not in (None, found):
                raise BusyError(f"it is being run by another process ({now.get('owner')})")
            found = now
        with self._claimed():
            if holder(self.folder) != found:
                raise BusyError("it is being run by another process, which began at the same moment")
            self.beat()

    @contextmanager
    def _claimed(self) -> Iterator[None]:
        """Claim the lease as the only one within the block. A claim that stays for long is of a killed process."""
        claims, seen = self.folder / CLAIMS, dict[str, float]()
        until = time.monotonic() + 2 * WATCH_SECONDS
        while time.monotonic() < until:
            mine = uuid.uuid4().hex
            try:
                inside.write(self.folder, f"{CLAIMS}/{mine}", b"claim")
                now = time.monotonic()
                seen = {name: seen.get(name, now) for name in files.names(claims) if name != mine}
                if all(now - since > WATCH_SECONDS for since in seen.values()):
                    for name in seen:
                        inside.remove(self.folder, f"{CLAIMS}/{name}")
                    yield
                    return
            finally:
                # Also where there are others: two that wait for each other would wait for ever.
                inside.remove(self.folder, f"{CLAIMS}/{mine}")
            time.sleep(random.uniform(0, BEAT_SECONDS / 10))
        raise BusyError("other processes are about to run it")

    def beat(self) -> None:
        """Write it anew."""
        self.beats += 1
        owner = f"{socket.gethostname()}:{os.getpid()}"
        sign = {"owner": owner, "token": self.token, "beats": self.beats, "at": time.time()}
        inside.write(self.folder, NAME, json.dumps(sign).encode())

    def keep(self) -> None:
        """Renew the lease until :meth:`release`, or until it is another's."""
        while not self._over.wait(BEAT_SECONDS):
            with suppress(OSError):  # for a while nobody will take it
                found = holder(self.folder)
                if found is None and not files.exists(self.folder / CAMPAIGN):
                    self.on_lost(f"{self.folder}: {GONE}; nothing more is written")
                    return
                if found is not None and found.get("token") != self.token:
                    self.on_lost(f"another process drives this campaign now ({found.get('owner')})")
                    return
                self.beat()

    def release(self) -> None:
        """Give the lease up at once."""
        self._over.set()
        with suppress(OSError):  # then another waits for a while
            if (found := holder(self.folder)) is not None and found.get("token") == self.token:
                inside.remove(self.folder, NAME)


@contextmanager
def leased(folder: Location, on_lost: Callable[[str], None]) -> Iterator[Lease]:
    """Hold the campaign for the time of the block. A BusyError where another process does.

    Once it is another's, ``on_lost`` is told why, in a thread of its own.
    """
    lease = Lease(folder, on_lost)
    try:
        lease.take()
    except BusyError as error:
        raise BusyError(f"campaign {folder.name!r} cannot be driven: {error}") from None
    except OSError as error:
        raise ValueError(f"the campaign's folder {str(folder)!r} cannot be written: {error}") from None
    thread = threading.Thread(target=lease.keep, daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.release()


def is_fresh(folder: Location, now: float) -> bool:
    """Tell whether an owner seems to live; ``now`` (seconds since 1970) and the owner's clock must roughly agree."""
    at = (holder(folder) or {}).get("at")
    return isinstance(at, int | float) and abs(now - at) < WATCH_SECONDS


def holder(folder: Location) -> dict[str, Any] | None:
    """Read what the last owner wrote: None where it let go of the campaign, empty where the bytes are not a lease."""
    try:
        found = json.loads(files.read(folder / NAME, files.SIGN_BYTES))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError, TooLargeError):
        return {}
    return found if isinstance(found, dict) else {}
