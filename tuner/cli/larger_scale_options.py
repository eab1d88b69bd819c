"""Options that carry the best of a search over to a larger scale."""

from __future__ import annotations

import argparse

from results.design import CARRY, MOST_CARRIED
from terminal.option_numbers import whole_number


def add_larger_scale(group: argparse._ArgumentGroup) -> None:
    """Add ``--confirm-scale`` and ``--carry``."""
    group.add_argument(
        "--confirm-scale",
        metavar="NAME",
        help="after all else, train the best and the base at this scale of the space too (full), their rates moved by "
        "the space's rules of width, in a campaign of its own beside this one; it says how the order carried over",
    )
    most = whole_number(1, MOST_CARRIED)
    group.add_argument(
        "--carry", metavar="K", type=most, help=f"with --confirm-scale: so many of the best (default: {CARRY})"
    )
