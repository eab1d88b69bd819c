"""Failures of trials: lost or crashed, told by the text of the error, and that text as one line for the trial's row.

A trial that ended without a word of its own did nothing wrong that is known, and is tried again from its checkpoint;
one that raised would raise again, and is not.

A word of its own is an exception that came back from the trial. Whatever else Ray says of an end (a node is gone, a
process, an owner, Ray itself) is a loss, be it in words that nobody here has seen yet. Ray's own ``max_failures``
cannot tell them apart, and puts what it retries behind the trials that wait.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LOSSES = 5  # nodes that one trial may lose in one start of the campaign, before it counts as crashed
KILLS = 2  # processes: the system kills what takes too much memory, and would again

OUT_OF_MEMORY = "out of memory"
LONGEST_REASON = 500  # characters of a reason
LONGEST_TEXT = 1_000_000  # of a file in errors/: an exception may hold a whole tensor
LONGEST_CELL = 10_000  # of a reason or a note in a row
LONGEST_NOTE, MOST_NOTES = 2_000, 1_000  # of a note of the campaign, and how many of them its file keeps

# By the type of the error, at the start of a line; torch names the CPU's failed allocations in a RuntimeError.
_NO_MEMORY = re.compile(r"^((torch|numpy)\.\S*MemoryError|MemoryError)\b|can't allocate memory", re.MULTILINE)


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
    """Tell from the text of an error how the trial was lost; None where it ended by an exception of its own."""
    if _RAISED.search(error):
        return None
    return next((loss for loss in (NODE, PROCESS) if loss.signs is not None and loss.signs.search(error)), OTHER)


def reason_of(error: str) -> str:
    """The last line of an error's text; memory that ran out is said first, since the sampler is to avoid it."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    last = lines[-1] if lines else "died without an error message"
    if _NO_MEMORY.search(error):
        last = f"{OUT_OF_MEMORY}: {last}"
    return without_middle(last, LONGEST_REASON)


def without_middle(text: str, most: int = LONGEST_TEXT) -> str:
    """A text of at most ``most`` characters, whose begin and end are kept; of a longer one it says so."""
    if len(text) <= most:
        return text
    said = f" ... {len(text) - most:,} or more characters are left out ... "
    half = (most - len(said)) // 2
    return text[:half] + said + text[-half:]


def stalled(error: str, traceback: str, seconds: float) -> str:
    """The text for a trial that hung: what was running then, and the line for its row."""
    return f"{error}\n{traceback}\nno progress for {seconds:g} s (--stall-minutes): see where in its file in errors/"
