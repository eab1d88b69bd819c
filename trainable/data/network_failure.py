"""Failures of the network in a few words: libraries wrap the system's answer in texts of their own, several deep."""

from __future__ import annotations

from collections.abc import Iterator

from terminal.escape import elided

LONGEST = 200  # characters of a library's own text


class NotDownloadedError(ValueError):
    """A file that lacks and cannot be had: the message says what to do where there is a network.

    What else would do depends on what was asked for: whoever knows the command that was given adds it.
    """


def network_reason(error: BaseException) -> str:
    """The answer of the system or of the server, in one short line; else the first line of the error's own text."""
    found = [] if type(error) is ValueError else list(_within(error))  # which is of this package, and says it all
    for each in found:
        if isinstance(each, OSError) and each.strerror and isinstance(each.errno, int):
            return each.strerror
    for each in found:
        status = getattr(getattr(each, "response", None), "status_code", getattr(each, "code", None))
        if isinstance(status, int):
            return f"the server answered {status}"
    for each in found:
        if isinstance(each, TimeoutError) or "timeout" in type(each).__name__.lower():
            return "no answer in time"
    lines = str(error).strip().splitlines()
    return elided(lines[0], LONGEST) if lines else type(error).__name__


def _within(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it was made of, each once."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or any(each is other for other in seen):
            continue
        seen.append(each)
        yield each
        behind = None if each.__suppress_context__ else each.__context__
        waiting += [*each.args, getattr(each, "reason", None), each.__cause__, behind]
