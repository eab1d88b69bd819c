"""A train function as a campaign knows it: what it may be, its name, its source with the values that it holds, and the
bytes that are sent to workers.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from ray import cloudpickle

from terminal.short import message_of, shortened
from tuner.own.outline import code_of, held_by
from tuner.own.program import CommandLine
from tuner.own.running import Train

USUAL = "train"  # the name of a function that has none of letters and digits
LONGEST_NAME = 100
SHOWN = 80  # characters of a signature


def named_function(train: Any) -> tuple[str, str]:
    """The name of a train function, and its source with the values that it holds: a campaign is about both.

    A ValueError for what cannot be called as ``train(config, report)``, as far as that is seen beforehand.
    """
    _check(train)
    held = held_by(train)
    train = unwrapped(train)
    if isinstance(train, CommandLine):
        return "command_line", train.text
    function = train if inspect.isroutine(train) else type(train)
    name = re.sub(r"[^A-Za-z0-9_.-]", "", function.__qualname__.rpartition("<locals>.")[2].replace("<lambda>", USUAL))
    name = name.lstrip("._-")[:LONGEST_NAME] or USUAL  # as the name of a folder begins
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # typed into an interpreter, or made by exec
        code = getattr(function, "__code__", None)
        if code is None:
            why = "whose source cannot be read: wrap it in a function"
            raise ValueError(f"train is {shortened(train)}, {why}") from None
        source = code_of(code)
    return name, f"{source}{held}"


def unwrapped(train: Any) -> Any:
    """The function within ``functools.partial``."""
    while isinstance(train, partial):
        train = train.func
    return train


def _check(train: Any) -> None:
    """Raise a ValueError for what would fail, or train nothing, at every trial: found before the first."""
    if not callable(train):
        raise ValueError(f"train is {shortened(train)} but must be a function of a config and a report")
    if isinstance(train, CommandLine):
        return
    inner = unwrapped(train)
    if isinstance(inner, type):
        raise ValueError(f"train is the class {inner.__qualname__}: give one of its objects, or a function")
    called = inner if inspect.isroutine(inner) else type(inner).__call__
    for is_one, what, instead in (
        (inspect.iscoroutinefunction, "async", "give a plain function, which may call asyncio.run"),
        (inspect.isasyncgenfunction, "an async generator", "give a plain function"),
        (inspect.isgeneratorfunction, "a generator", "call report(step, value) in place of yield"),
    ):
        if is_one(called):
            raise ValueError(f"train is {what}, of which a call alone trains nothing: {instead}")
    try:
        taken = inspect.signature(train)
    except Exception:  # of C, which says nothing of its arguments, or an object that answers to no question
        return
    try:
        taken.bind({}, None)
    except TypeError as error:
        shown = str(taken)[:SHOWN]
        raise ValueError(f"train takes {shown} but is called as train(config, report): {error}") from None


def pickled(train: Train) -> bytes:
    """The function as it is sent to workers, with its own module, which they need not find."""
    module = sys.modules.get(getattr(unwrapped(train), "__module__", "") or "")
    with _by_value(module):
        try:
            found: bytes = cloudpickle.dumps(train)  # type: ignore[no-untyped-call]
        except Exception as error:  # whatever its parts raise
            raise ValueError(f"train cannot be sent to workers: {type(error).__name__}: {message_of(error)}") from None
    return found


@contextmanager
def _by_value(module: Any) -> Iterator[None]:
    ours = module is None or module.__name__ == "__main__" or module.__name__.partition(".")[0] == "tuner"
    if ours:
        yield
        return
    cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)  # type: ignore[no-untyped-call]
