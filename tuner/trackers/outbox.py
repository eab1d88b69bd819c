"""The driver's end of a tracker: a process, a pipe that never blocks, and an end that does not wait for ever.

Of each trial only the latest word waits, so that what waits is bounded by the number of trials whatever the tracker
does. A failure is said once, in one line. Nothing here raises what a tracker has caused.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from results.store.row_types import TrialRow
from storage.location import Location
from terminal.counted import counted
from terminal.duration import duration
from tuner.trackers.catalogue import LogTo

UNANSWERED_SECONDS = 30.0  # without an answer at the end, after which a tracker is left
SEND_PROGRAM = "python -m tuner.trackers"


class Outbox:
    """One tracker of one start of a campaign."""

    def __init__(self, asked: LogTo, folder: Location, say: Callable[[str], None], runs: bool = True) -> None:
        """Start the tracker's process.

        ``say`` gets the lines for people, without the tracker's name; ``runs`` says whether a campaign does meanwhile.
        """
        self.asked, self.folder, self._say, self._runs = asked, folder, say, runs
        self.waiting: dict[str, bytes] = {}  # by trial; "" has what the process is begun with, and how it is ended
        self.half_sent, self.half_heard = b"", b""
        self.lacking: int | None = None  # trials that it says it lacks, once it is over; -1: it cannot say
        self.has_failed = False
        self.process: subprocess.Popen[bytes] | None = None
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tuner.trackers.process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the campaign, which tells it of its end
            )
        except OSError as error:
            self._fail(f"its process cannot be started: {error.strerror}{self._goes_on('; ', ' without it')}")
            return
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
        self._post("", {"tracker": asked.name, "place": asked.place, "folder": str(folder)})

    def tell(self, row: TrialRow, until: int | None = None, arm_number: int | None = None, last: bool = False) -> None:
        """Tell how a trial stands, in place of an earlier word that still waits."""
        self._post(row["key"], {"key": row["key"], "row": row, "until": until, "arm_number": arm_number, "last": last})

    def poll(self) -> None:
        """Send what the pipe takes, and hear what is said, without waiting for either."""
        if self.process is None:
            return
        try:
            self._write()
            self._read()
        except OSError:  # the pipe is closed
            self._leave(f"its process has ended{self._exit_status()}")

    def finish(self, code: int, seconds: float = UNANSWERED_SECONDS) -> None:
        """End the tracker with the exit code of the campaign: as long as it answers, wait for it."""
        self._post("over", {"over": code})
        heard = time.monotonic()
        while self.process is not None and self.lacking is None:
            left = heard + seconds - time.monotonic()
            if left <= 0:
                self._leave(f"no answer for {duration(seconds)}")
                break
            if self._wait(left):
                heard = time.monotonic()
        self._close()
        if self.lacking != 0:
            whose = f"{shlex.quote(str(self.folder))} --log {shlex.quote(self._option())}"
            known = self.lacking is not None and self.lacking > 0
            what = f"it lacks {counted(self.lacking or 0, 'run')}" if known else "it may lack some of this campaign"
            self._say(f"{what}. Send it again: {SEND_PROGRAM} {whose}")

    def leave(self) -> None:
        """End the tracker at once."""
        self._close()

    def _option(self) -> str:
        return self.asked.name if self.asked.place is None else f"{self.asked.name}:{self.asked.place}"

    def _wait(self, seconds: float) -> bool:
        """Wait until something can be sent or is heard; tells whether something was heard."""
        assert self.process is not None and self.process.stdout is not None and self.process.stdin is not None
        writing = [self.process.stdin] if self.waiting or self.half_sent else []
        ready, _, _ = select.select([self.process.stdout], writing, [], seconds)
        self.poll()
        return bool(ready)

    def _post(self, key: str, message: Mapping[str, Any]) -> None:
        if self.process is None:
            return
        self.waiting.pop(key, None)
        self.waiting[key] = json.dumps(message, default=_plain_time).encode() + b"\n"
        self.poll()

    def _write(self) -> None:
        assert self.process is not None and self.process.stdin is not None
        while self.half_sent or self.waiting:
            if not self.half_sent:
                self.half_sent = self.waiting.pop(next(iter(self.waiting)))
            try:
                sent = os.write(self.process.stdin.fileno(), self.half_sent)
            except BlockingIOError:
                return
            self.half_sent = self.half_sent[sent:]

    def _read(self) -> None:
        assert self.process is not None and self.process.stdout is not None
        while True:
            try:
                heard = os.read(self.process.stdout.fileno(), 1 << 16)
            except BlockingIOError:
                return
            if not heard:
                if self.lacking is None:
                    self._leave(f"its process has ended{self._exit_status()}")
                return
            *lines, self.half_heard = (self.half_heard + heard).split(b"\n")
            for line in lines:
                self._hear(json.loads(line))

    def _hear(self, answer: Mapping[str, Any]) -> None:
        if "failed" in answer:
            self._fail(f"{answer['failed']}. It is tried again{self._goes_on('; ')}")
        if "over" in answer:
            self.lacking = int(answer["over"])

    def _fail(self, why: str) -> None:
        """Say what went wrong, the first time."""
        if not self.has_failed:
            self.has_failed = True
            self._say(why)

    def _leave(self, why: str) -> None:
        self._fail(f"{why}{self._goes_on('; ', ' without it')}")
        self._close()

    def _goes_on(self, before: str, after: str = "") -> str:
        """Say that a campaign goes on, where one runs."""
        return f"{before}the campaign goes on{after}" if self._runs else ""

    def _exit_status(self) -> str:
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(1.0)
            return f" with exit code {code}" if code >= 0 else f" by signal {-code}"
        return ""

    def _close(self) -> None:
        """End the process with all that it has started."""
        process, self.process = self.process, None
        self.waiting.clear()
        if process is None:
            return
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _plain_time(value: Any) -> str:
    assert isinstance(value, datetime), "a row holds texts, numbers and times"
    return value.isoformat()
