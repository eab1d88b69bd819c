"""One driver a campaign in an object store, which has no locks: an object that its owner writes anew all the time.

Whoever finds another's watches it for a while, and takes it over if it stays as it is: no two clocks are compared. An
owner that finds another's in its place (it was suspended, or cut off for longer than that) ends its campaign.

What it cannot guarantee: between two looks both may write. Two that start within the same second may both begin; one
of them then ends at its next beat. What they wrote until then is whole, and of a trial that both began the later
attempt is in force (trainable/attempt.py).
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from storage import files
from storage.location import Url

NAME = ".driver.json"
BEAT_SECONDS = 15.0
WATCH_SECONDS = 3 * BEAT_SECONDS  # so long an object that stays as it is has no living owner


class Lease:
    """What the driver of a campaign holds. ``on_lost`` is called with a reason once it is another's."""

    def __init__(self, folder: Url, on_lost: Callable[[str], None]) -> None:
        self.folder, self.path = folder, folder / NAME
        self.token, self.beats = uuid.uuid4().hex, 0
        self.on_lost = on_lost
        self._over = threading.Event()

    def take(self) -> None:
        """A ValueError where a living process holds it; waits to see whether it lives. An OSError from the store."""
        found = holder(self.folder)
        if found is not None:
            until = time.monotonic() + WATCH_SECONDS
            while (now := holder(self.folder)) == found and time.monotonic() < until:
                time.sleep(BEAT_SECONDS / 5)
            if now not in (None, found):
                raise ValueError(f"it is being run by another process ({now.get('owner')})")
        self.beat()
        found = holder(self.folder)
        if found is None or found.get("token") != self.token:
            raise ValueError("it is being run by another process, which began at the same moment")

    def beat(self) -> None:
        """Write it anew."""
        self.beats += 1
        owner = f"{socket.gethostname()}:{os.getpid()}"
        sign = {"owner": owner, "token": self.token, "beats": self.beats, "at": time.time()}
        files.write(self.path, json.dumps(sign).encode())

    def keep(self) -> None:
        """Beat until :meth:`release`, or until it is another's."""
        while not self._over.wait(BEAT_SECONDS):
            with suppress(OSError):  # for a while nobody will take it
                found = holder(self.folder)
                if found is not None and found.get("token") != self.token:
                    self.on_lost(f"another process drives this campaign now ({found.get('owner')})")
                    return
                self.beat()

    def release(self) -> None:
        """Let another have it at once."""
        self._over.set()
        with suppress(OSError):  # then another waits for a while
            if (found := holder(self.folder)) is not None and found.get("token") == self.token:
                files.remove(self.path)


@contextmanager
def leased(folder: Url, on_lost: Callable[[str], None]) -> Iterator[Lease]:
    """Hold the campaign for the time of the block. A ValueError where another process does.

    Once it is another's, ``on_lost`` is told why, in a thread of its own.
    """
    lease = Lease(folder, on_lost)
    try:
        lease.take()
    except ValueError as error:
        raise ValueError(f"campaign {folder.name!r} cannot be driven: {error}") from None
    except OSError as error:
        raise ValueError(f"the campaign's folder {str(folder)!r} cannot be written: {error}") from None
    thread = threading.Thread(target=lease.keep, daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.release()


def is_fresh(folder: Url, now: float) -> bool:
    """Whether an owner seems to live; ``now`` (seconds since 1970) and the owner's clock must roughly agree."""
    at = (holder(folder) or {}).get("at")
    return isinstance(at, int | float) and abs(now - at) < WATCH_SECONDS


def holder(folder: Url) -> dict[str, Any] | None:
    """What the last owner wrote; None where it let go of the campaign, and nothing in particular for other bytes."""
    try:
        found = json.loads(files.read(folder / NAME))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
