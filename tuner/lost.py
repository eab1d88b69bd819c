"""Lost trials: one that ended without a word of its own did nothing wrong that is known, and is tried again from its
checkpoint; one that raised would raise again, and is not.

A word of its own is an exception that came back from the trial. Whatever else Ray says of an end (a node is gone, a
process, an owner, Ray itself) is a loss, be it in words that nobody here has seen yet. Ray's own ``max_failures``
cannot tell them apart, and puts what it retries behind the trials that wait.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LOSSES = 5  # nodes that one trial may lose in one start of the campaign, before it counts as crashed
KILLS = 2  # processes: the system kills what takes too much memory, and would again


class RayDiedError(Exception):
    """The Ray that a campaign runs on is gone, for the reason that the text says; its driver can do nothing more."""


@dataclass(frozen=True)
class Loss:
    """A way to lose a trial: what its row says of it, how often it is tried again, and what Ray writes of it."""

    why: str
    limit: int
    signs: re.Pattern[str] | None = None  # None: whatever has no other sign


NODE = Loss(
    "its node was lost",
    LOSSES,
    re.compile(
        r"^(The actor died because its node has died\.|The actor \S+ is unavailable: "
        # without a reason: its node had been given notice (a spot machine), and went
        r"|The actor died unexpectedly before finishing this task\.\s*(\n\t\w+:.*)*\s*\Z)",
        re.MULTILINE,
    ),
)
PROCESS = Loss(
    "its process was killed",
    KILLS,
    re.compile(r"^The actor is dead because its worker process has died\.", re.MULTILINE),
)
OTHER = Loss("it was lost", LOSSES)

# What Ray writes of an exception that a trial raised as it was set up or trained: at the start of a line, the method's
# name as a task of Ray. The exception itself and its text come in later lines, where they are no sign of anything.
_RAISED = re.compile(
    r"^(\x1b\[\d+m)?(The actor died because of an error raised in its creation task, (\x1b\[\d+m)?)?ray::\w"
    r"|^The actor died because of an error raised in its creation task",
    re.MULTILINE,
)


def loss_of(error: str) -> Loss | None:
    """How the trial was lost, by the text of its error; None where it ended by an exception of its own."""
    if _RAISED.search(error):
        return None
    return next((loss for loss in (NODE, PROCESS) if loss.signs is not None and loss.signs.search(error)), OTHER)
