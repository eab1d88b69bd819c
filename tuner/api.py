"""The functions of ``import tuner``: a campaign begun, replayed, found again and gone on with, from Python.

They ask for what the command line asks for, by the same specification and the same path (start.py); the names of their
arguments are those of the options. They work in a notebook: a running event loop is left alone, no signal is handled
outside the main thread, and where there is no terminal a line is printed for each trial that has ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from results.find import RUNS
from search_spaces.catalogue import load as load_space
from search_spaces.space import Space
from storage.location import Location
from terminal import program
from terminal.console import Console
from tuner import modes, start
from tuner.arguments import given, naming_arguments, place_of, runs_of, signature
from tuner.campaign import Campaign
from tuner.command import Begin, Resume
from tuner.endings import EndedEarlyError
from tuner.options import command

NAME = "tuner"  # of the program, in what is said on stderr


def search(space: str | Space, *, display: bool = True, **asked: Any) -> Campaign:
    """Search ``space``, a name or an object, and return the campaign when it has ended.

    The arguments are the options of ``python -m tuner.run`` with underscores: ``scale``, ``trials``, ``hours``,
    ``name``, ``confirm`` ("3x3", or False), ``concurrent``, ... ``overrides`` (dotted path -> value) is ``--set``,
    ``constraints`` is ``--constraint``. ``display=False`` prints nothing. A ValueError for bad input; Ctrl-C (or the
    notebook's stop) lets running trials write checkpoints, and is then raised: ``tuner.load(...).resume()`` goes on.
    """
    name, own = (space, None) if isinstance(space, str) else (space.name, space)
    with naming_arguments():
        options = {"space": name, **given(modes.SEARCH, "search", asked)}
        return _begun(command(options), own, display)


def replay(space: str | Space, *rows: str, display: bool = True, **asked: Any) -> Campaign:
    """Train recorded runs of ``space``: ids (``"H1"``), patterns, ``"phase 18"``, ``"bases"`` or ``"all"``.

    The arguments are those of :func:`search` that go with a replay, ``reading`` and ``seeds`` among them.
    """
    name, own = (space, None) if isinstance(space, str) else (space.name, space)
    with naming_arguments():
        if not rows or not all(isinstance(row, str) for row in rows):
            raise ValueError(f"which recorded runs? {rows!r} names none: ids, patterns, phases, 'bases' or 'all'")
        options = {"space": name, "replay": list(rows), **given(modes.REPLAY, "replay", asked)}
        return _begun(command(options), own, display)


def load(campaign: str | os.PathLike[str] | Location, *, results: Any = None, space: Space | None = None) -> Campaign:
    """The campaign of a name (in ``results``, else ``results/runs``), a path or a URL, running or finished.

    ``space`` is needed to go on with one that searches a space of your own.
    """
    with naming_arguments():
        found = Campaign(start.find(runs_of(results) or RUNS, place_of(campaign)), space)
        _ = found.spec  # it can be read
        return found


def resume(campaign: Campaign, space: Space | None, asked: Mapping[str, Any]) -> Campaign:
    """Go on with a campaign; :meth:`Campaign.resume` is the way to call it."""
    asked = dict(asked)
    display = asked.pop("display", True)
    with naming_arguments():
        place = str(
            campaign.folder if not isinstance(campaign.folder, os.PathLike) else os.path.abspath(campaign.folder)
        )
        options = {"resume": place, **given(modes.RESUME, "resume", asked)}
        wanted = command(options)
        assert isinstance(wanted, Resume)
        _drive(lambda console: start.resume(console, wanted, space), display)
    return campaign


def _begun(wanted: Any, space: Space | None, display: bool) -> Campaign:
    assert isinstance(wanted, Begin)
    known = space or load_space(wanted.spec.space)
    ended = _drive(lambda console: start.begin(console, wanted, known), display)
    assert ended.folder is not None, "only a plan has none"
    return Campaign(ended.folder, space)


def _drive(work: Callable[[Console], start.Ended], display: bool) -> start.Ended:
    """Do the work of a campaign as the command does it; an interruption is raised once it has ended in order."""
    console = Console(goes_on=True)
    console.quiet = not display
    with _own_ray(), program.raising(NAME, at_once=False):
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
    """Within the block Ray is the campaign's alone, and gone after it. A ValueError where this process uses one."""
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        raise ValueError("this process is connected to a Ray cluster already: call ray.shutdown() first")
    try:
        yield
    finally:
        if "ray" in sys.modules and sys.modules["ray"].is_initialized():
            from tuner import cluster

            cluster.disconnect()


for _function, _mode in ((search, modes.SEARCH), (replay, modes.REPLAY)):
    vars(_function)["__signature__"] = signature(_mode, _function)
