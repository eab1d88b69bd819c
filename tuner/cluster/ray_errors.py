"""Exceptions of Ray as one line that holds the cause."""

from __future__ import annotations

import re

LONGEST = 400  # characters of a line

_TRACEBACK = re.compile(r"^(\S*ray::|Traceback \(most recent|\s+File \")", re.MULTILINE)
_ADORNMENT = re.compile(r"^\W*$")  # ======
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def ray_error_line(error: BaseException | str) -> str:
    """Shorten an error of Ray to one line with its cause: a traceback's last line, another text's first and last.

    Ray writes the cause first (a token that is missing), last (the log of a process that did not start) or not at all
    (it is then the exception's own cause), so that no single line can be relied upon.
    """
    text = _COLOURS.sub("", str(error))
    lines = [" ".join(line.split()) for line in text.splitlines() if not _ADORNMENT.match(line)]
    if not lines:
        lines = [type(error).__name__ if isinstance(error, BaseException) else "it does not say why"]
    said = lines[-1] if _TRACEBACK.search(text) else " ... ".join(dict.fromkeys([_half(lines[0]), _half(lines[-1])]))
    if isinstance(error, BaseException) and (cause := error.__cause__) is not None:
        below = ray_error_line(cause)
        said = said if below in said else f"{_half(said)}: {_half(below)}"
    return said[:LONGEST]


def _half(line: str) -> str:
    most = LONGEST // 2 - len(" ... ")
    return line if len(line) <= most else f"{line[: most - 3]}..."
