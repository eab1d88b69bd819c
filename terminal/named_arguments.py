"""The hint "did you mean" for a function of Python that is given an argument which it does not have."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from terminal.nearest import nearest

Call = TypeVar("Call", bound=Callable[..., Any])


def naming_the_nearest(function: Call) -> Call:
    """The function, which says the nearest of its arguments where it is given one that it does not have."""
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def checked(*given: Any, **named: Any) -> Any:
        for name in named:
            if name not in known:
                raise TypeError(f"{function.__name__}() has no argument {name!r}: {nearest(name, known, 'arguments')}")
        return function(*given, **named)

    return cast(Call, checked)
