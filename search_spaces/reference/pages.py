"""All pages of the reference by name."""

from __future__ import annotations

from search_spaces.reference.knob_pages import knob_pages
from search_spaces.reference.space_pages import space_pages


def pages() -> dict[str, str]:
    """File below ``docs`` -> its text."""
    return knob_pages() | space_pages()
