"""The start of a program: streams that are there, and one line for a signal, before its modules are loaded.

Imports nothing that takes time: what comes before ``begin`` cannot be guarded.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

INTERRUPTION = "interrupted"
WITHOUT_END = "waits for a store"  # name of a thread that nothing ends (storage/waiting.py)
CLOSED_PIPE = 128 + 13  # the exit code of a program that SIGPIPE has ended
ENDING = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A signal that asks the program to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


SIGNALLED = 128  # and above: exit codes of a program that a signal has ended

_received: list[int] = []  # signals, since ``raising`` began
_at_once = True  # whether a second signal ends the process, which is then a program's own


def exit_code(ended: KeyboardInterrupt | int) -> int:
    """128 + the signal's number, as of a program that the signal has ended: 130 for Ctrl-C.

    A library may raise a ``KeyboardInterrupt`` of its own instead of ours.
    """
    if isinstance(ended, KeyboardInterrupt):
        ended = ended.number if isinstance(ended, Interrupted) else next(iter(_received), int(signal.SIGINT))
    return SIGNALLED + ended


_name = "tuner"


def name() -> str:
    """Return the name of the program that runs, with which its messages begin."""
    return _name


def begin(name: str) -> None:
    """Call it first of all, where a module is run as the program called ``name``."""
    global _name
    _name = name
    _open_all_streams()
    if sys.flags.optimize > 1:  # Ray edits the docstrings of its functions while it is imported
        leave(name, "Python without docstrings (-OO or PYTHONOPTIMIZE=2) cannot run this: use at most -O", 2)

    def at_once(number: int, frame: FrameType | None) -> None:
        leave(name, INTERRUPTION, exit_code(number))

    for number in heeded():
        signal.signal(number, at_once)


def heeded() -> list[signal.Signals]:
    """The signals that end a program, but for those that whoever started it wants ignored (``nohup``, ``&``).

    None outside the main thread, where Python handles none.
    """
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]


status: int | None = None  # the exit code, once the program has come to its end


def end(code: int) -> None:
    """Exit from the program; until the interpreter has done so, ``status`` tells which code it is.

    At once where a thread still waits in a library, which would keep the interpreter from its end.
    """
    global status
    status = code
    if any(thread.name == WITHOUT_END for thread in threading.enumerate()):
        flush()
        os._exit(code)
    sys.exit(code)


def leave(name: str, why: str, code: int) -> None:
    """End the process at once, with a line on stderr; from a signal handler, which may have cut into another line.

    A process that is not a program's own (a notebook's) is only interrupted.
    """
    if not _at_once:
        raise Interrupted(code - SIGNALLED)
    with suppress(OSError):
        if os.isatty(1):
            os.write(1, b"\x1b[?25h\r\n")  # a live display hides the cursor
    say_at_once(name, why)
    os._exit(code)


def say_at_once(name: str, text: str) -> None:
    """Write a line to stderr past its buffer, which a signal's handler may find half-written."""
    with suppress(OSError):
        os.write(2, f"{name}: {text}\n".encode("ascii", "backslashreplace"))


def drain(stream: IO[str]) -> None:
    """Discard what is left in the buffer of a stream that fails, or the interpreter fails over it at its end."""
    with suppress(OSError, ValueError, AttributeError):
        descriptor, nowhere = stream.fileno(), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
        stream.flush()


def flush() -> None:
    """Write out what is left in the buffers of the standard streams, as far as they take it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


@contextmanager
def raising(name: str, at_once: bool = True) -> Iterator[None]:
    """Raise ``Interrupted`` at the block's first signal, so that what has begun is undone; a second ends at once.

    At its end an ``Interrupted`` that went astray, in a callback of a library, is raised again. Without ``at_once`` a
    second signal is one more ``Interrupted``: the process is somebody else's.
    """
    global _at_once
    before, _at_once = _at_once, at_once
    _received.clear()

    def once(number: int, frame: FrameType | None) -> None:
        _receive(name, number)
        raise Interrupted(number)

    try:
        with handling(once):
            yield
            check()
    finally:
        _at_once = before


@contextmanager
def deferring(name: str) -> Iterator[None]:
    """Hold the first signal back to the end of the block, which must not be left half-way; a second ends at once."""
    with handling(lambda number, frame: _receive(name, number)):
        try:
            yield
        finally:
            check()


def check() -> None:
    """Raise what a library has swallowed, before anything else begins."""
    if _received:
        raise Interrupted(_received[0])


def _receive(name: str, number: int) -> None:
    if _received:
        leave(name, f"{INTERRUPTION} again: ended at once", exit_code(number))
    _received.append(number)


@contextmanager
def handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call ``handler``, within the block, for the signals that end a program."""
    before = {number: signal.signal(number, handler) for number in heeded()}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def _open_all_streams() -> None:
    """A descriptor that is closed (``>&-``) would be given to the next file, which then gets what is printed.

    Writing to such a standard output fails, as it did before; nobody is there to hear what goes to standard error.
    """
    for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)
