"""The command line of every program here: a mistake is one line on stderr and exit code 2."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from terminal.complaint import complain
from terminal.exit_codes import BAD_INPUT
from terminal.nearest import nearest
from terminal.number import decimal

EXIT_CODES_OF_LOOKING = (
    "Exit codes: 0 printed, 1 not printed or written, 2 bad input, 141 where what reads the output has ended (| head)."
)


class OneLineParser(argparse.ArgumentParser):
    """argparse without its usage text; an option that does not exist is told the nearest one that does."""

    _unknown: str = ""
    _given: Sequence[str] = ()
    meant: Callable[[str, str], str | None] | None = None  # what an unknown option and its value may have been meant as
    for_more: str = ""  # the end of what is said of a name too many: where it would be taken

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "allow_abbrev": False})

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse as argparse does, which alone would keep the last value of an option given twice, and say nothing."""
        given = sys.argv[1:] if args is None else list(args)
        self._given, self._unknown = given, self._first_unknown(given)
        self._check_once(given)
        return super().parse_known_args(given, namespace)

    def _first_unknown(self, given: Sequence[str]) -> str:
        """The first word that begins as an option and is none; empty where each is one. Numbers are values."""
        words = given[: given.index("--")] if "--" in given else given
        begins = (word for word in words if len(word) > 1 and word.startswith("-") and decimal(word) is None)
        return next((word for word in begins if word.partition("=")[0] not in self._option_string_actions), "")

    def _check_once(self, given: Sequence[str]) -> None:
        """Refuse an option that stands there twice, or beside its opposite, unless all its values are kept."""
        seen: dict[str, str] = {}
        for text in given[: given.index("--")] if "--" in given else given:
            name = text.partition("=")[0]
            action = self._option_string_actions.get(name)  # argparse takes no such text as another option's value
            if action is None or isinstance(action, argparse._AppendAction):
                continue
            before = seen.get(action.dest)
            if before == name:
                several = ": all its values come after one of them" if action.nargs == "+" else ": once is enough"
                self.error(f"{name} is given twice{several}")
            if before is not None:
                self.error(f"{before} and {name} exclude each other: give one of them")
            seen[action.dest] = name

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Take a text as a value; an empty one only where it is what stands there by default.

        A type says itself what it takes; a text without one would be passed on, and mostly as if it had been left out.
        """
        if action.type is None and action.choices is None and not arg_string.strip() and action.default != "":
            name = "/".join(action.option_strings) or action.metavar or action.dest
            self.error(f"{name} is empty: give a text, or leave it out")
        return super()._get_value(action, arg_string)  # type: ignore[misc]

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is none of the choices with the nearest one, which argparse does not look for."""
        if action.choices is not None and value not in action.choices:
            hint = nearest(value, map(str, action.choices), "values")
            raise argparse.ArgumentError(action, f"{value!r} is no value of it: {hint}")

    def error(self, message: str) -> NoReturn:
        if message.startswith("the following arguments are required") and self._unknown:
            message = f"unrecognized arguments: {self._unknown}"  # that may have been meant as one of them
        if lacking := re.fullmatch(r"argument (\S+): expected (?:one|at least one) argument", message):
            message += self._taken_for_an_option(lacking[1])
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown and not unknown[1].startswith("-"):
            message = self._one_too_many(unknown[1])
        elif unknown:
            name = unknown.group(1).partition("=")[0]
            options = [o for action in self._actions for o in action.option_strings]
            meant = None if self.meant is None else self.meant(name, self._value_behind(unknown[1]))
            message = f"unknown option {name!r}: {meant or nearest(name, options, 'options')}"
            if os.path.lexists(unknown[1]):
                message += f"; the file is './{unknown[1]}'"
        complain(self.prog, message)
        self.exit(BAD_INPUT)

    def _value_behind(self, word: str) -> str:
        """The value that was given with a word that is no option; empty where none was."""
        if "=" in word or word not in self._given:
            return word.partition("=")[2]
        behind = self._given[self._given.index(word) + 1 :][:1]
        return "".join(text for text in behind if not text.startswith("-"))

    def _taken_for_an_option(self, option: str) -> str:
        """Say how a value is given that begins as an option; empty where the next word is an option, or none."""
        names = option.split("/")
        behind = [word for name, word in zip(self._given, self._given[1:], strict=False) if name in names]
        if not behind or not behind[0].startswith("-") or behind[0].partition("=")[0] in self._option_string_actions:
            return ""
        return f" ({behind[0]!r} begins as an option does: {names[-1]}={behind[0]} gives it as a value)"

    def _one_too_many(self, name: str) -> str:
        """Say of a word that is no option how many names are taken, and where more of them are."""
        taken = [str(action.metavar or action.dest) for action in self._actions if not action.option_strings]
        if not taken:
            return f"{name!r} is no option, and no name is taken here{self.for_more}"
        names = "one name is taken" if len(taken) == 1 else f"{len(taken)} names are taken"
        return f"{name!r} is one name too many: {names} here, {' '.join(taken)}{self.for_more}"

    def print_help(self, file: Any = None) -> None:
        """Print it as everything is printed."""
        from terminal.console import Console  # not where nothing is printed: rich takes its time

        console = Console(file=file)
        for line in self.format_help().splitlines():
            console.print(line)

    def refuse(self, error: Exception) -> int:
        """Say what is wrong with the input; returns the exit code."""
        complain(self.prog, error)
        return BAD_INPUT
