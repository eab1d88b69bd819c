"""Types of settings in the words of their users, who write JSON or a command line: the one place that has them."""

from __future__ import annotations

from types import NoneType
from typing import Any

from terminal.article import a
from terminal.short import as_written, shortened

TYPE_WORDS: dict[Any, str] = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    NoneType: "null",
    dict: "object",
    list: "list",
}
_UNCOUNTED = (bool, str, NoneType)  # "must be text", but "must be a number"


def one_of_type(kind: Any) -> str:
    """The words for what a value must be: ``a whole number``, ``true or false``."""
    return TYPE_WORDS[kind] if kind in _UNCOUNTED else a(TYPE_WORDS[kind])


def as_set(value: object) -> str:
    """A setting as its user writes it, for a message: ``true``, ``false`` and ``null``, all else as it is shortened."""
    return as_written(value) if value is None or isinstance(value, bool) else shortened(value)
