"""The console that all programs print through: what it is given is data, never markup, and never steers the terminal.

A string is one line, whatever is in it: its newlines and tabs are data too, and are escaped. An empty line is a
``print()`` of its own. The console's own styles and the moves of its live display reach the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from terminal.escape import escaped, visible


class Line(Text):
    """A line in several styles: what is put in is escaped."""

    def __init__(self, text: str = "", style: str | Style = "") -> None:
        super().__init__(escaped(text), style=style)

    def append(self, text: Text | str, style: str | Style | None = None) -> Line:
        """Add text in a style of its own; returns the line."""
        super().append(escaped(text) if isinstance(text, str) else text, style)
        return self


class Console(rich.console.Console):
    """rich's console without markup, emoji and highlighting; it never breaks text into lines.

    Tables and the like are printed with ``soft_wrap=False``: that fits them to the width.
    """

    def __init__(
        self,
        *,
        file: IO[str] | None = None,
        stderr: bool = False,
        width: int | None = None,
        height: int | None = None,
        force_terminal: bool | None = None,
    ) -> None:
        super().__init__(
            file=file,
            stderr=stderr,
            width=width,
            height=height,
            force_terminal=force_terminal,
            highlight=False,
            soft_wrap=True,
            markup=False,
            emoji=False,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """A string, be it printed, in a cell, a title or a live display."""
        return super().render_str(escaped(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Whatever is shown passes here; what others made of rich's own classes is escaped at the latest now."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text, keep="\n"))
