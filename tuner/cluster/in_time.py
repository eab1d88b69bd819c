"""A limit for calls into Ray that have none: one that a raylet or a GCS must answer never ends where these hang.

Such a call waits in a socket, where neither a signal's handler nor a timer reaches it. So it is made in a thread of its
own, which is left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

LOOK_SECONDS = 0.2  # in which the main thread heeds a signal


def in_time(call: Callable[[], object], seconds: float) -> bool:
    """Make a call, and wait ``seconds`` for its end: whether that came. What it raises is raised here."""
    raised: list[BaseException] = []

    def make() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=make, name="a call into Ray", daemon=True)
    thread.start()
    for _ in range(max(1, round(seconds / LOOK_SECONDS))):  # not by the clock: a process that was stopped is not late
        thread.join(LOOK_SECONDS)
        if not thread.is_alive():
            break
    if raised:
        raise raised[0]
    return not thread.is_alive()
