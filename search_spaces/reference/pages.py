"""All pages of the reference by name."""

from __future__ import annotations

from search_spaces.reference.knob_pages import knob_pages
from search_spaces.reference.space_page import space_page


def pages() -> dict[str, str]:
    """File below ``docs`` -> its text."""
    return knob_pages() | {"spaces.md": space_page()}
