"""Type of the options that take one name of a few: it refuses another with the nearest."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from terminal.nearest import nearest


def one_of(names: Collection[str], text: str) -> str:
    """Return the text where it is one of the names; ``partial(one_of, names)`` is the type of an option."""
    if text not in names:
        raise argparse.ArgumentTypeError(f"{text!r} is no value of it: {nearest(text, names, 'values')}")
    return text
