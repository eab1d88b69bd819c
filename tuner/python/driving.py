"""The work of a campaign done from Python: as the command does it, in a process that goes on afterwards."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from search_spaces.space import Space
from storage.location import Location
from terminal import program
from terminal.console import Console, forced_terminal
from tuner import start, transfer
from tuner.campaign.endings import EndedEarlyError
from tuner.cli import modes
from tuner.cli.options import command
from tuner.command import Resume
from tuner.python.arguments import display_of, naming_arguments, options_given
from tuner.python.widgets import without_widgets

_ONE_AT_A_TIME = threading.Lock()  # a process has one Ray: whoever ends first would take it from the others
NAME = "tuner"  # of the program, in what is said on stderr


def resume_campaign(folder: Location, space: Space | None, asked: Mapping[str, Any]) -> None:
    """Go on with the campaign of a folder; :meth:`Campaign.resume` is the way to call it."""
    asked = dict(asked)
    display = asked.pop("display", True)
    with naming_arguments():
        options = {"resume": str(folder), **options_given(modes.RESUME, "resume", asked)}
        wanted = command(options)
        assert isinstance(wanted, Resume)
        drive(lambda console: transfer.resume(console, wanted, space), display)


def drive(work: Callable[[Console], start.Ended], display: bool) -> start.Ended:
    """Do the work of a campaign as the command does it; an interruption is raised once it has ended in order."""
    console = Console(goes_on=True, force_terminal=forced_terminal())
    console.quiet = not display_of(display)
    with without_widgets(), _own_ray(), program.raising(NAME, at_once=False):
        try:
            ended = work(console)
        except EndedEarlyError as error:
            if error.code >= program.SIGNALLED:
                raise KeyboardInterrupt(str(error)) from None
            raise RuntimeError(str(error)) from error
    if ended.code >= program.SIGNALLED:
        raise KeyboardInterrupt(program.INTERRUPTION)
    return ended


@contextmanager
def _own_ray() -> Iterator[None]:
    """Keep Ray to the campaign within the block, and end it after. A ValueError where this process uses one."""
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise ValueError(
            "another campaign runs in this process: wait for its end, or begin this one in another process"
        )
    try:
        if "ray" in sys.modules and sys.modules["ray"].is_initialized():
            raise ValueError("this process is connected to a Ray cluster already: call ray.shutdown() first")
        try:
            yield
        finally:
            if "ray" in sys.modules and sys.modules["ray"].is_initialized():
                from tuner.cluster import connect

                connect.disconnect()
    finally:
        _ONE_AT_A_TIME.release()
