"""The command line of the programs here: a mistake is one line on stderr and exit code 2. (This package knows no other,
so it has a parser of its own.)
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import NoReturn

from results.names import nearest

BAD_INPUT = 2


class OneLineParser(argparse.ArgumentParser):
    """argparse without its usage text; an option that does not exist is told the nearest one that does."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown:
            name = unknown.group(1).partition("=")[0]
            options = [o for action in self._actions for o in action.option_strings]
            message = f"unknown option {name!r}: {nearest(name, options, 'options')}"
        self.exit(BAD_INPUT, f"{self.prog}: {' '.join(message.split())}\n")

    def refuse(self, error: Exception) -> int:
        """Say what is wrong with the input; returns the exit code."""
        print(f"{self.prog}: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT


def at_least_one(text: str) -> int:
    """The type of an option that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
