"""Names that a user lists, of which none may stand there twice: a second one would do nothing, or count double."""

from __future__ import annotations

from collections.abc import Sequence


def refuse_twice(given: Sequence[str], means: Sequence[str] | None = None, after: str = "") -> None:
    """Raise a ValueError for a name that is given twice, or for two that mean the same.

    ``means`` has what each of them means (a place, for a name and its path); else each means itself. ``after`` is the
    option that they are given to.
    """
    seen: dict[str, str] = {}
    option = f"{after}: " if after else ""
    for name, meant in zip(given, given if means is None else means, strict=True):
        if meant in seen:
            other = "" if seen[meant] == name else f", also as {seen[meant]!r}"
            raise ValueError(f"{option}{name!r} is given twice{other}: once is enough")
        seen[meant] = name
