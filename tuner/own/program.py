"""A program in any language as a train function: its command line with a config's values, and the numbers that it
prints.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from storage.location import local
from terminal.named_arguments import naming_the_nearest
from terminal.nearest import nearest
from terminal.number import decimal
from terminal.short import shortened

_FIELD = re.compile(r"\{([^{}]*)\}")
LAST_LINES = 20  # of what a program says on stderr, where it fails
LEAVE_SECONDS = 5.0  # for a program that was told to end
_NOT_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


@naming_the_nearest
def command_line(text: str, cwd: str | os.PathLike[str] | None = None) -> CommandLine:
    """A train function for :func:`tuner.tune` that runs a program, as in ``python train.py --lr {lr} --seed {seed}``.

    Names in braces are those of the space, and ``seed`` and ``steps``. The text is split into words as a shell would,
    but no shell sees it: a value is always one word or part of one. ``cwd`` is the folder to run in (here, without).
    A line ``STEP VALUE`` that it prints is a report, and the last line that is a number alone is the final value.
    An exit code other than 0 is a crash.
    """
    if not isinstance(text, str):  # None would make shlex read standard input
        raise ValueError(f"the command line is {shortened(text)} but must be text")
    if "\0" in text or text != text.encode(errors="replace").decode():
        raise ValueError(f"the command line {shortened(text)} must be text without the character NUL, in UTF-8")
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"the command line {shortened(text)} cannot be split into words: {error}") from None
    if not words:
        raise ValueError("the command line is empty")
    return CommandLine(text, words, _folder(cwd))


def _folder(cwd: Any) -> str:
    """The whole path of a folder to run in."""
    cwd = os.curdir if cwd is None else cwd
    path = os.fspath(cwd) if isinstance(cwd, str | os.PathLike) else None
    if not isinstance(path, str):
        raise ValueError(f"cwd is {shortened(cwd)} but must be the path of a folder")
    try:
        return os.path.abspath(local(path))
    except ValueError as error:
        raise ValueError(f"cwd: {error}") from None
    except FileNotFoundError:
        raise ValueError("cwd: the current folder has been removed") from None


@dataclass(frozen=True)
class CommandLine:
    """A program as a train function; made by :func:`command_line`."""

    text: str
    words: tuple[str, ...]
    cwd: str

    def check(self, names: Iterable[str], is_here: bool) -> None:
        """Raise a ValueError for a name in braces that no config has, and, on this machine, for a missing folder."""
        if is_here and not os.path.isdir(self.cwd):
            raise ValueError(f"cwd is {self.cwd!r}, which is no folder")
        for name in (found for word in self.words for found in _FIELD.findall(word)):
            if name not in (known := list(names)):
                raise ValueError(f"the command line has {{{name}}}: {nearest(name, known, 'names')}")

    def filled(self, config: Mapping[str, Any]) -> list[str]:
        """Return its words with the values of a config filled in."""
        return [_FIELD.sub(lambda found: _text(config[found[1]]), word) for word in self.words]

    def __call__(self, config: Mapping[str, Any], report: Any) -> float | None:
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            with self._started(config, errors) as program:
                try:
                    with _ended_when_stopped(program, report):
                        last = _read(program, report)
                    code = program.wait()
                finally:
                    _end(program)
            if code != 0 and not report.stopped:  # else it was told to end
                raise RuntimeError(_failure(code, errors))
        return last

    def _started(self, config: Mapping[str, Any], errors: IO[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.filled(config),
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            start_new_session=True,  # so that what it starts ends with it
        )


def _read(program: subprocess.Popen[str], report: Any) -> float | None:
    """Report what the program prints; the last number that stands alone on a line."""
    last = None
    assert program.stdout is not None
    for line in program.stdout:
        words = line.split()
        value = _number(words[-1]) if words else None
        if value is None or len(words) > 2:
            continue
        if len(words) == 1:
            last = value
        elif words[0].isascii() and words[0].isdecimal():
            report(int(words[0]), value)
    return last


class _ended_when_stopped:  # noqa: N801 (a context manager)
    """End the program, within the block, once its trial ends, also where it prints nothing for long."""

    def __init__(self, program: subprocess.Popen[str], report: Any) -> None:
        self.program, self.report, self.over = program, report, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self.over.wait(0.2):
            if self.report.stopped:
                _end(self.program)
                return

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *of: object) -> None:
        self.over.set()
        self.thread.join()


def _end(program: subprocess.Popen[str]) -> None:
    """Tell the program and all that it has started to end; kill what does not."""
    if program.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, number)
        with suppress(subprocess.TimeoutExpired):
            program.wait(LEAVE_SECONDS)
            return


def _failure(code: int, errors: IO[str]) -> str:
    """Describe a program's failure: its last lines on stderr, then the exit code (last, since rows keep the end)."""
    errors.seek(0)
    lines = [line for line in errors.read().splitlines() if line.strip()][-LAST_LINES:]
    why = f"the program ended by signal {-code}" if code < 0 else f"the program ended with exit code {code}"
    return "\n".join([*lines, f"{why}{': ' + lines[-1] if lines else ', and said nothing on stderr'}"])


def _number(word: str) -> float | None:
    return _NOT_FINITE.get(word.lower(), decimal(word))


def _text(value: Any) -> str:
    """A value as a word: True and False as Python has them, None as nothing."""
    return "" if value is None else str(value)
