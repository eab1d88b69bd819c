"""Failures of trials: lost or crashed, told by the text of the error, and that text as one line for the trial's row.

A trial that ended without a word of its own did nothing wrong that is known, and is tried again from its checkpoint;
one that raised would raise again, and is not. Two errors of a GPU are not the trial's own: its neighbours on the device
took its memory, or the device's context broke, which may be a fault of the hardware or of a process beside it.

A word of its own is an exception that came back from the trial. Whatever else Ray says of an end (a node is gone, a
process, an owner, Ray itself) is a loss, be it in words that nobody here has seen yet. Ray's own ``max_failures``
cannot tell them apart, and puts what it retries behind the trials that wait.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trainable.worker.out_of_memory import (
    ERROR_LINE,
    OF_DEVICE,
    last_line_with,
    line_of_no_memory,
    neighbour_took_it,
    without_colours,
)

LOSSES = 5  # nodes that one trial may lose in one start of the campaign, before it counts as crashed
KILLS = 2  # processes: the system kills what takes too much memory, and would again
CROWDED = 2  # times that others on the GPU took its memory
BROKEN = 1  # contexts of a GPU: what breaks a second one is the trial

OUT_OF_MEMORY = "out of memory"
LONGEST_REASON = 500  # characters of a reason
LONGEST_TEXT = 1_000_000  # of a file in errors/: an exception may hold a whole tensor
LONGEST_CELL = 10_000  # of a reason or a note in a row
LONGEST_NOTE, MOST_NOTES = 2_000, 1_000  # of a note of the campaign, and how many of them its file keeps

# An error of the device. It has further lines, which are hints, the same for all.
_OF_DEVICE = re.compile(rf"{ERROR_LINE}{OF_DEVICE}", re.MULTILINE)


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
NEIGHBOUR = Loss("a neighbour took its memory of the GPU", CROWDED)
# After these errors every call to the GPU fails in this process; Tune replaces an actor in which a trial raised. With
# MPS the context of each process on the GPU breaks with one of them.
POISONED = Loss(
    "its GPU's context was broken",
    BROKEN,
    re.compile(
        rf"{ERROR_LINE}({OF_DEVICE}.*(illegal memory access|device-side assert"
        r"|unspecified launch failure|misaligned address|illegal instruction|not supported on global/shared address"
        r"|invalid (address space|program counter)|hardware stack error|uncorrectable (NVLink|ECC) error"
        r"|launch timed out|context is destroyed|MPS (client|server)|unknown error)"
        # A library that cannot begin: its context broke before, or the device has no room. A new process tells.
        r"|\bCU[A-Z]+_STATUS_NOT_INITIALIZED\b)",
        re.MULTILINE,
    ),
)

# What Ray writes of an exception that a trial raised as it was set up or trained: at the start of a line, the method's
# name as a task of Ray. The exception itself and its text come in later lines, where they are no sign of anything.
_RAISED = re.compile(
    r"^(The actor died because of an error raised in its creation task, )?ray::\w"
    r"|^The actor died because of an error raised in its creation task",
    re.MULTILINE,
)


def loss_of(error: str) -> Loss | None:
    """Tell from the text of an error how the trial was lost; None where it ended by an exception of its own."""
    error = without_colours(error)
    if not _RAISED.search(error):
        return next((loss for loss in (NODE, PROCESS) if loss.signs is not None and loss.signs.search(error)), OTHER)
    if neighbour_took_it(error):
        return NEIGHBOUR
    assert POISONED.signs is not None
    return POISONED if POISONED.signs.search(error) else None


def reason_of(error: str) -> str:
    """The line of an error's text that says most; memory that ran out is said first, as the sampler is to avoid it.

    It is the last line, but for an error of the device its first.
    """
    error = without_colours(error)
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    said = lines[-1] if lines else "died without an error message"
    if no_memory := line_of_no_memory(error):
        said = f"{OUT_OF_MEMORY}: {no_memory}"
    elif of_device := last_line_with(_OF_DEVICE, error):
        said = of_device
    return without_middle(said, LONGEST_REASON)


def is_out_of_memory(reason: str | None) -> bool:
    """Tell whether a reason, as :func:`reason_of` gives it, says that the trial's own memory ran out."""
    return (reason or "").startswith(f"{OUT_OF_MEMORY}: ")


def gave_up(given_up: str, loss: Loss, error: str) -> str:
    """Say why a trial that was lost too often is given up: of a GPU's error with its text, which tells them apart."""
    return without_middle(f"{given_up}: {reason_of(error)}", LONGEST_REASON) if loss is POISONED else given_up


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
