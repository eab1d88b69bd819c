"""Lost trials: one whose machine vanished or whose process was killed did nothing wrong that is known, and is tried
again from its checkpoint; one that raised would raise again, and is not.

Ray's own ``max_failures`` cannot tell them apart, and puts what it retries behind the trials that wait.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LOSSES = 5  # nodes that one trial may lose in one start of the campaign, before it counts as crashed
KILLS = 2  # processes: the system kills what takes too much memory, and would again


@dataclass(frozen=True)
class Loss:
    """A way to lose a trial: what its row says of it, how often it is tried again, and what Ray writes of it."""

    why: str
    limit: int
    signs: re.Pattern[str]


# What Ray writes, at the start of a line. An exception of the trial's own comes with its type in front.
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


def loss_of(error: str) -> Loss | None:
    """How the trial was lost, by the text of its error; None where it ended by an error of its own."""
    return next((loss for loss in (NODE, PROCESS) if loss.signs.search(error)), None)
