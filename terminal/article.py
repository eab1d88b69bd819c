"""The English article before a name that is not known beforehand."""

from __future__ import annotations


def a(name: str) -> str:
    """Return the name behind ``a`` or ``an``, by how its beginning sounds: an optimizer, a hook, a Uniform."""
    lower = name.lower()
    is_open = lower.startswith(tuple("aeiou")) and not lower.startswith(("uni", "use"))
    return f"{'an' if is_open else 'a'} {name}"
