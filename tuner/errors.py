"""What the text of a trial's error comes to: one line for its row."""

from __future__ import annotations

import re

OUT_OF_MEMORY = "out of memory"
LONGEST = 500  # characters of a reason
LONGEST_TEXT = 1_000_000  # of a file in errors/: an exception may hold a whole tensor
LONGEST_CELL = 10_000  # of a reason or a note in a row
LONGEST_NOTE, MOST_NOTES = 2_000, 1_000  # of a note of the campaign, and how many of them its file keeps

# By the type of the error, at the start of a line; torch names the CPU's failed allocations in a RuntimeError.
_NO_MEMORY = re.compile(r"^((torch|numpy)\.\S*MemoryError|MemoryError)\b|can't allocate memory", re.MULTILINE)


def reason_of(error: str) -> str:
    """The last line of an error's text; memory that ran out is said first, since the sampler is to avoid it."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    last = lines[-1] if lines else "died without an error message"
    if _NO_MEMORY.search(error):
        last = f"{OUT_OF_MEMORY}: {last}"
    return without_middle(last, LONGEST)


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
