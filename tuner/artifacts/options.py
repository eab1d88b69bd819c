"""Options of the programs that read kept weights again: of which campaign and trial, with which data and code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from results.named_campaigns import A_CAMPAIGN, add_campaign, named_campaign
from storage.location import argument
from terminal.command_line import OneLineParser
from terminal.option_numbers import whole_number

if TYPE_CHECKING:
    from tuner.artifacts.kept_trial import KeptTrial

MOST_TRIALS = 10**9


def add_trial_options(parser: OneLineParser, about: str = A_CAMPAIGN) -> None:
    """Add the options that choose the weights; ``about`` is what the first text may name."""
    add_campaign(parser, about=about)
    parser.add_argument(
        "--trial", type=whole_number(0, MOST_TRIALS), metavar="N", help="number of the trial (default: the winner)"
    )
    parser.add_argument("--data", type=argument, metavar="PLACE", help="where the same data are, if they were moved")
    parser.add_argument(
        "--import",
        action="append",
        metavar="FILE",
        help="code of your own that the campaign was begun with; repeatable",
    )
    parser.add_argument(
        "--trust-sources", action="store_true", help="run the code that the campaign's folder keeps; read it first"
    )


def chosen_trial(options: argparse.Namespace) -> KeptTrial:
    """The trial that the options choose; a ValueError, one line, where it has no weights."""
    from trainable.data.sources import check_there
    from tuner.artifacts.kept_trial import kept_trial  # with pandas, which --help need not wait for

    data = None if options.data is None else str(options.data)
    if data is not None:
        check_there(data)
    imports = vars(options)["import"] or ()
    return kept_trial(named_campaign(options.campaign, options), options.trial, data, imports, options.trust_sources)
