"""One cell as its column stores it: nothing is converted where that would change its meaning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from numbers import Integral, Real
from typing import Any

import pyarrow as pa
from terminal.type_words import as_set


def plain(field: pa.Field[Any], value: Any) -> Any:
    """``value`` as its column stores it, or a ValueError: pyarrow alone would turn true into 1 and take naive times."""
    if value is None:
        return None
    kind, is_bool = field.type, isinstance(value, bool)
    if pa.types.is_floating(kind) and isinstance(value, Real) and not is_bool and _is_double(value):
        return float(value)
    if pa.types.is_integer(kind) and isinstance(value, Integral) and not is_bool and -(2**63) <= int(value) < 2**63:
        return int(value)
    if pa.types.is_boolean(kind) and is_bool:
        return value
    if pa.types.is_string(kind) and isinstance(value, str):
        _check_characters(field.name, value)
        return value
    if pa.types.is_timestamp(kind) and isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise ValueError(f"{field.name} is {as_set(value)} but must be {_WANTED[str(kind)]}")


def microseconds(time: datetime) -> int:
    """Microseconds since 1970, as a column of times stores them."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _is_double(value: Real) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _check_characters(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} holds half a character (a lone surrogate)") from None


_WANTED = {
    "double": "a number",
    "int64": "a whole number of at most 64 bits",
    "bool": "true or false",
    "string": "text",
    "timestamp[us, tz=UTC]": "a datetime with a time zone",
}
