"""The command line of every program here: a mistake is one line on stderr and exit code 2."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from trainable.component import nearest


class OneLineParser(argparse.ArgumentParser):
    """argparse without its usage text; an option that does not exist is told the nearest one that does."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown:
            name = unknown.group(1).partition("=")[0]
            options = [o for action in self._actions for o in action.option_strings]
            message = f"unknown option {name!r}: {nearest(name, options, 'options')}"
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


def at_least_one(text: str) -> int:
    """The type of an option that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
