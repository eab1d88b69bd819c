"""Values of libraries as the plain ones that they stand for: what JSON, a column of the results and a sampler hold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

# Not str(), since an enumeration writes its own name.
EXACT: dict[type, Callable[[Any], Any]] = {int: int.__int__, float: float.__float__, str: str.__str__}


def plain_value(value: Any) -> Any:
    """A scalar of NumPy, or a member of an enumeration of numbers or texts, as the number or text that it equals.

    Anything else is returned as it is, for whoever asked to refuse.
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        value = value.item()
    if isinstance(value, bool):
        return value
    return next((exact(value) for kind, exact in EXACT.items() if isinstance(value, kind)), value)


def plain_values(value: Any) -> Any:
    """Make a library's scalars plain within lists, tuples and mappings."""
    if isinstance(value, list | tuple):
        return [plain_values(each) for each in value]
    if isinstance(value, dict):
        return {plain_value(name): plain_values(each) for name, each in value.items()}
    return plain_value(value)
