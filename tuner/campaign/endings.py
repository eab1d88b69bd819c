"""Ends of a campaign before its time, and the one line that says why.

Imports nothing that takes time: whoever parses a command line needs it.
"""

from __future__ import annotations

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)
AGAIN = "again to end now"  # what a second signal does


class EndedEarlyError(Exception):
    """A campaign that ends before its time; the text is the one line that says why, and how to go on."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.code = code  # to exit with


def nothing_beside_base(base_completed: bool) -> str:
    """Say of a search that it has no completed trial beside its base, or none at all."""
    return "no trial but the base completed" if base_completed else "no trial completed"


def storage_failure(error: OSError) -> str:
    """One line for results that cannot be written.

    What was written stays whole: files are replaced, never changed. A trial whose end was not written is still
    ``running`` in its row, and is trained on from its checkpoint.
    """
    where = f" ({error.filename!r})" if error.filename else ""
    what = "the disk is full" if error.errno in FULL else error.strerror or str(error)
    return f"the results cannot be written: {what}{where}"
