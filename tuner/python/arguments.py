"""Python arguments and the command line's options as one: the same names, ranges and words.

An argument is checked by the type of its option, so that a range stands once, and what is said of options in messages
is said of arguments here.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from numbers import Number
from pathlib import Path
from typing import Any

from results.design import Design
from results.store.find import text_of
from results.store.resume_command import RUN_PROGRAM
from search_spaces.plain import plain_value, plain_values
from search_spaces.space import Space
from storage.location import Location, Url, location
from terminal.escape import one_line
from terminal.nearest import nearest
from terminal.short import shortened
from tuner.cli import modes
from tuner.cli.option_groups import parser

NAMES = {"set": "overrides", "constraint": "constraints", "import": "imports"}  # option -> argument, where they differ
IS_CALL = {"resume": "resume()", "replay": "replay()"}
NO_ARGUMENTS = ("space", "list", "show", "resume", "replay", "dry-run")  # they choose the function, or are its first
SEVERAL = ("import", "constraint", "likely", "warm_start", "reuse", "log")
PLACES = ("import", "results", "data", "warm_start", "reuse")


def parameters(mode: str) -> dict[str, str]:
    """Argument -> option, by the names that the code has for them, of the function that does what a mode does."""
    options = [name for name, goes in modes.GOES_WITH.items() if mode in goes and name not in NO_ARGUMENTS]
    return {NAMES.get(name, name.replace("-", "_")): name.replace("-", "_") for name in options if name[:3] != "no-"}


def signature(mode: str, function: Any) -> inspect.Signature:
    """The signature of ``function`` with the arguments of its mode in place of ``**asked``."""
    shown = inspect.signature(function)
    own = [p for p in shown.parameters.values() if p.kind != inspect.Parameter.VAR_KEYWORD]
    taken = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in parameters(mode)]
    return shown.replace(parameters=[*own, *taken])


def options_given(mode: str, function: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options that arguments give, checked as on the command line; None gives none.

    A ValueError for a value, a TypeError for an argument that the function does not have.
    """
    known = parameters(mode)
    for name in asked:
        if name not in known:
            hint = _elsewhere(name) or nearest(name, known, "arguments")
            raise TypeError(f"{function}() has no argument {name!r}: {hint}")
    checked = {known[name]: _checked(name, known[name], value) for name, value in asked.items() if value is not None}
    return {option: value for option, value in checked.items() if not _is_nothing(mode, option, value)}


def _elsewhere(name: str) -> str:
    """Say which other functions have an argument of this name; empty where none has."""
    calls = {modes.NEW_SEARCH: "search()", modes.REPLAY: "replay()", modes.RESUME: "resume()"}
    having = [call for mode, call in calls.items() if name in parameters(mode)]
    return f"it goes with {' and '.join(having)}" if having else ""


def _is_nothing(mode: str, option: str, value: Any) -> bool:
    """Tell whether a value asks for the default anyway: an empty list, or no trust. A resume may give up ``reuse``."""
    if option == "trust_sources":
        return value is False
    return value == [] and option in SEVERAL and not (option == "reuse" and mode == modes.RESUME)


def _checked(name: str, option: str, value: Any) -> Any:
    action = next(action for action in parser()._actions if action.dest == option)
    if option == "set":
        return _settings(name, value)
    if option == "confirm" and (value is False or isinstance(value, Design)):
        return value
    if option == "confirm" and value is True:
        raise ValueError(f"{name} is True but must be text as '3x3..5..30', or False")
    if isinstance(action, argparse.BooleanOptionalAction | argparse._StoreTrueAction):
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {shortened(value)} but must be True or False")
        return value
    if option in SEVERAL:
        return [_typed(name, action, each) for each in _several(name, value)]
    return _typed(name, action, value)


def _several(name: str, value: Any) -> list[Any]:
    """The members of a list or an iterator, in order; one that stands alone is a list of one."""
    if isinstance(value, Set | Mapping):  # the first has no order, which a campaign keeps
        raise ValueError(f"{name} is {shortened(value)} but must be a list")
    if isinstance(value, Sequence | Iterator) and not isinstance(value, str | bytes | bytearray):
        return list(value)
    return [value]


def _settings(name: str, value: Any) -> dict[str, Any]:
    """Dotted path -> value of JSON, which a campaign keeps."""
    if not isinstance(value, Mapping) or not all(isinstance(path, str) and path for path in value):
        raise ValueError(f"{name} is {shortened(value)} but must be a mapping from dotted paths to values")
    found: dict[str, Any] = {}
    for path, each in value.items():
        try:
            plainly = str(each) if isinstance(each, Path) else plain_values(each)
            json.dumps(plainly, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            said = f"{name}: {path} is {shortened(each)}"
            raise ValueError(f"{said}, which is no value of JSON (a component: its name)") from None
        found[plain_value(path)] = plainly
    return found


def _typed(name: str, action: argparse.Action, value: Any) -> Any:
    """A value as its option's type reads it; a place may also be a path, a URL or a campaign."""
    value = plain_value(value)
    if action.dest in PLACES and not isinstance(value, str | Number):
        if not (isinstance(value, os.PathLike | Url) or hasattr(value, "folder")):
            raise ValueError(f"{name} is {shortened(value)} but must be a path, a URL or a campaign")
        value = str(getattr(value, "folder", value))
    is_number = isinstance(value, Number) and not isinstance(value, bool)
    if action.type is None and not isinstance(value, str):
        raise ValueError(f"{name} is {shortened(value)} but must be text")
    if not (is_number or isinstance(value, str)):
        raise ValueError(f"{name} is {shortened(value)} but must be a number or text")
    if action.type is None:
        return value
    assert callable(action.type)
    try:
        found = action.type(shortened(value) if isinstance(value, int) else str(value))
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"{name}: {error}") from None
    if isinstance(value, str) and isinstance(found, int | float):
        raise ValueError(f"{name} is the text {value!r} but must be a number: {value}")
    return found


def name_and_space(space: Any) -> tuple[str, Space | None]:
    """Return a space's name, and the space itself where one is given: ``space`` is a name, a file or a ``Space``."""
    if isinstance(space, Space):
        return space.name, space
    text = os.fspath(space) if isinstance(space, str | os.PathLike) else None
    if not isinstance(text, str):
        raise ValueError(f"the space is {shortened(space)} but must be a name, a file or a Space")
    return str(plain_value(text)), None


def own_space_of(space: Any) -> Space | None:
    """The space with which a campaign goes on, where one is given."""
    if space is not None and not isinstance(space, Space):
        raise ValueError(f"space is {shortened(space)} but must be a Space (search_spaces.space), or None")
    return space


def display_of(display: Any) -> bool:
    """Check ``display``: whether to print on the way."""
    if not isinstance(display, bool):
        raise ValueError(f"display is {shortened(display)} but must be True or False")
    return display


# --- messages ---------------------------------------------------------------------------------------------------------


@contextmanager
def naming_arguments() -> Iterator[None]:
    """Make a ValueError, within the block, name arguments where it would name options."""
    try:
        yield
    except ValueError as error:
        raise ValueError(in_python(one_line(str(error)))) from None
    except FileNotFoundError:
        if _has_folder():
            raise
        raise ValueError("the current folder has been removed: change to another one") from None


def _has_folder() -> bool:
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


_WORD = r"('[^']*'|[^\s'][^\s,;)]*[^\s,;).:]|\w)"
_SETS = re.compile(r"--set ([A-Za-z_][\w.]*)=([^\s,;)]*[^\s,;).:])")
_RESUMES = re.compile(
    rf"{re.escape(RUN_PROGRAM)} --resume {_WORD}(?: --results {_WORD})?( --trust-sources)?(?: --data {_WORD})?"
)


def in_python(message: str) -> str:
    """A message of the command line with each option as an argument, and a command that resumes as a call."""
    calls = [_call(*found.groups()) for found in _RESUMES.finditer(message)]
    parts = _RESUMES.split(message)
    said = [_SETS.sub(r"overrides={'\1': \2}", part) for part in parts[:: _RESUMES.groups + 1]]
    said = [re.sub(r"--(no-)?([a-z]+(?:-[a-z]+)*)", _argument, part) for part in said]
    return said[0] + "".join(call + after for call, after in zip(calls, said[1:], strict=True))


def _argument(found: re.Match[str]) -> str:
    no, option = found[1] or "", found[2]
    if f"{no}{option}" not in modes.GOES_WITH or option in ("list", "show", "dry-run"):
        return f"{RUN_PROGRAM} {found[0]}" if option in modes.GOES_WITH else found[0]
    if option == "trust-sources":
        return "trust_sources=True"
    name = IS_CALL.get(option) or NAMES.get(option, option.replace("-", "_"))
    return name if not no else f"{name}={'[]' if option == 'reuse' else 'False'}"


def _call(name: str, results: str | None, trust: str | None, data: str | None) -> str:
    """The call that does what ``--resume NAME --results FOLDER --trust-sources --data PLACE`` does."""
    place, folder = (shlex.split(text)[0] if text else "" for text in (name, results))
    asked = ", ".join([*["trust_sources=True"] * bool(trust), *([f"data={data!r}"] if data else [])])
    return f"tuner.load({f'{folder}/{place}' if folder else place!r}).resume({asked})"


def place_of(campaign: str | os.PathLike[str] | Location) -> str:
    """The text that names a campaign: a name, a path or a URL."""
    found = getattr(campaign, "folder", campaign)
    found = found if isinstance(found, os.PathLike) else plain_value(found)
    if isinstance(found, str | Url) or (isinstance(found, os.PathLike) and isinstance(os.fspath(found), str)):
        return text_of(found)
    raise ValueError(f"{shortened(campaign)} is no name, path or URL of a campaign")


def runs_of(results: Any) -> Location | None:
    """The folder of all campaigns that an argument names."""
    return None if results is None else location(place_of(results))
