"""Lists on a command line: names divided by commas."""

from __future__ import annotations


def comma_separated(text: str) -> list[str]:
    """The names of a list, without the spaces around them; a ValueError where one is empty."""
    names = [name.strip() for name in text.split(",")]
    if "" in names and text.strip():
        raise ValueError(f"{text!r} has an empty name: a list has its names between single commas, as in 'a,b'")
    return names
