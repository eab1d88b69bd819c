"""The end of a message about too little text: how much would be enough."""

from __future__ import annotations

import math

HELD_OUT = "of which a tenth is held out"
AT_LEAST = "at least"


def more_text(text_bytes: int | None, needed: int, available: int, amount: str = "about") -> str:
    """The end of a message: how much data would be enough; of text by its bytes, if it went on as it is.

    Where ``available`` is what there can be at most, the ``amount`` is "at least" so much.
    """
    if text_bytes is None:
        return f"give a validation split of at least {needed + 1:,} tokens"
    return (
        f"give {amount} {_round_up(text_bytes * needed / max(1, available)):,} bytes of text ({there_are(text_bytes)})"
    )


def there_are(text_bytes: int) -> str:
    """The size of the text, in words."""
    return f"there are {text_bytes:,}, {HELD_OUT}"


def _round_up(number: float) -> int:
    """Round up to two significant digits."""
    unit = int(10 ** max(0, math.floor(math.log10(max(1, number))) - 1))
    return math.ceil(number / unit) * unit
