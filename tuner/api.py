"""The functions of ``import tuner``: a campaign begun, replayed, found again and resumed, from Python.

They ask for what the command line asks for, by the same specification and the same path (start.py); the names of their
arguments are those of the options. They work in a notebook: a running event loop is left alone, no signal is handled
outside the main thread, and where there is no terminal a line is printed for each trial that has ended.
"""

from __future__ import annotations

import os
from typing import Any

from results.store.find import RUNS
from search_spaces.space import Space
from storage.location import Location
from terminal.named_arguments import naming_the_nearest
from terminal.short import shortened
from tuner import start, transfer
from tuner.cli import modes
from tuner.cli.options import command
from tuner.command import Begin
from tuner.python.arguments import (
    name_and_space,
    naming_arguments,
    options_given,
    own_space_of,
    place_of,
    runs_of,
    signature,
)
from tuner.python.campaign import Campaign
from tuner.python.driving import drive


def search(space: str | os.PathLike[str] | Space, *, display: bool = True, **asked: Any) -> Campaign:
    """Search ``space``, a name, a file or an object, and return the campaign when it has ended.

    The arguments are the options of ``python -m tuner.run`` with underscores: ``scale``, ``trials``, ``hours``,
    ``name``, ``confirm`` ("3x3", or False), ``concurrent``, ... ``overrides`` (dotted path -> value) is ``--set``,
    ``constraints`` is ``--constraint``, ``imports`` (files and modules of your own) is ``--import``.
    ``display=False`` prints nothing. A ValueError for bad input; Ctrl-C (or the
    notebook's stop) lets running trials write checkpoints, and is then raised: ``tuner.load(...).resume()`` goes on.
    """
    with naming_arguments():
        name, own = name_and_space(space)
        options = {"space": name, **options_given(modes.NEW_SEARCH, "search", asked)}
        return _begun(command(options), own, display)


def replay(space: str | os.PathLike[str] | Space, *rows: str, display: bool = True, **asked: Any) -> Campaign:
    """Train recorded runs of ``space``: ids (``"H1"``), patterns, ``"phase 18"``, ``"bases"`` or ``"all"``.

    The arguments are those of :func:`search` that go with a replay, ``reading`` and ``seeds`` among them.
    """
    with naming_arguments():
        name, own = name_and_space(space)
        if not rows or not all(isinstance(row, str) for row in rows):
            none = f"which recorded runs? {shortened(rows)} names none"
            raise ValueError(f"{none}: ids, patterns, phases, 'bases' or 'all'")
        options = {"space": name, "replay": list(rows), **options_given(modes.REPLAY, "replay", asked)}
        return _begun(command(options), own, display)


@naming_the_nearest
def load(campaign: str | os.PathLike[str] | Location, *, results: Any = None, space: Space | None = None) -> Campaign:
    """The campaign of a name (in ``results``, else ``results/runs``), a path or a URL, running or finished.

    ``space`` is needed to go on with one that searches a space of your own.
    """
    with naming_arguments():
        own = own_space_of(space)
        found = Campaign(start.usable_campaign(runs_of(results) or RUNS, place_of(campaign)), own)
        _ = found.spec  # it can be read
        return found


def _begun(wanted: Any, space: Space | None, display: bool) -> Campaign:
    assert isinstance(wanted, Begin)
    ended = drive(lambda console: transfer.begin(console, wanted, space), display)
    assert ended.folder is not None, "only a plan has none"
    return Campaign(ended.folder, space)


for _function, _mode in ((search, modes.NEW_SEARCH), (replay, modes.REPLAY)):
    vars(_function)["__signature__"] = signature(_mode, _function)
