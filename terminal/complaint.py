"""One line on stderr that says what cannot be done, whatever state stderr is in."""

from __future__ import annotations

import sys

from terminal import program
from terminal.escape import one_line


def complain(name: str, error: Exception | str) -> None:
    """Say on stderr, in one line, what the program called ``name`` cannot do."""
    stream = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # a live display stands in for stderr
    if stream is None:
        return
    try:
        print(f"{name}: {one_line(str(error))}", file=stream, flush=True)
    except (OSError, ValueError):  # it is closed or full: there is nobody to tell
        program.drain(stream)
