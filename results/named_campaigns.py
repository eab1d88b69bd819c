"""Campaigns on a command line: each by its name, path or URL, and ``--results`` for where names are looked up.

All programs that take one take both, by these functions, so that a name means the same campaign to each of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from storage.location import Location, absolute, argument, is_path, text_argument
from terminal.command_line import OneLineParser
from terminal.once import refuse_twice

from results.store.find import RUNS, NoCampaignError, find

A_CAMPAIGN = "the campaign's name, or its folder or URL"


def add_campaign(parser: OneLineParser, dest: str = "campaign", about: str = A_CAMPAIGN, **more: Any) -> None:
    """Add the name of a campaign, or with ``nargs`` of several, and ``--results``."""
    parser.add_argument(dest, type=text_argument, metavar="CAMPAIGN", help=about, **more)
    parser.add_argument(
        "--results",
        type=argument,
        metavar="FOLDER",
        help=f"folder that names are looked up in, as for python -m tuner.run (default: {RUNS})",
    )


def named_campaigns(texts: Sequence[str], options: argparse.Namespace) -> list[Location]:
    """The folders of the campaigns that ``texts`` name; a ValueError, one line, where one names none.

    Refused are ``--results`` where all of them are paths, and a campaign that is named twice.
    """
    runs: Location | None = options.results
    refuse_useless(runs, texts)
    found = [found_by_name(text, RUNS if runs is None else runs) for text in texts]
    refuse_twice(texts, [absolute(folder) for folder in found])
    return found


def refuse_useless(runs: Location | None, texts: Sequence[str]) -> None:
    """Raise a ValueError for ``--results`` where no name is looked up there, as all ``texts`` are paths."""
    if runs is not None and all(map(is_path, texts)):
        are = f"{texts[0]!r} is a path" if len(texts) == 1 else "all of these are paths"
        raise ValueError(f"--results {runs} is where names are looked up, and {are}: leave it out, or give a name")


def found_by_name(text: str, runs: Location) -> Location:
    """The folder of the campaign that ``text`` means; a ValueError for an unknown name says ``--results`` too."""
    try:
        return find(text, runs)
    except NoCampaignError as error:
        if runs != RUNS:
            raise
        raise ValueError(f"{error}; --results says in which folder names are looked up") from None


def named_campaign(text: str, options: argparse.Namespace) -> Location:
    """The folder of the one campaign that ``text`` names."""
    return named_campaigns([text], options)[0]
