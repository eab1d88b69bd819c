"""The console that all programs print through: what it is given is data, never markup, and never steers the terminal.

A string is one line, whatever is in it: its newlines and tabs are data too, and are escaped. An empty line is a
``print()`` of its own. The console's own styles and the moves of its live display reach the terminal.

Where a screen fails (a pipe that nobody reads, a full disk, a terminal that has gone) a program that only shows
something ends; one that does work goes on without it.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import rich.console
from rich.cells import cell_len
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from terminal import program
from terminal.complaint import complain
from terminal.escape import escaped, visible
from terminal.exit_codes import FAILED


class Line(Text):
    """A line in several styles: what is put in is escaped."""

    def __init__(self, text: str = "", style: str | Style = "") -> None:
        super().__init__(escaped(text), style=style)

    def append(self, text: Text | str, style: str | Style | None = None) -> Line:
        """Add text in a style of its own; returns the line."""
        super().append(escaped(text) if isinstance(text, str) else text, style)
        return self


def forced_terminal() -> bool | None:
    """False where standard output is no terminal, though ``FORCE_COLOR`` says so; None leaves it to rich.

    Jupyter sets ``FORCE_COLOR``: to rich its cells are terminals, on which a live display would pile up.
    """
    return None if sys.stdout.isatty() else False


class Console(rich.console.Console):
    """rich's console without markup, emoji and highlighting; it never breaks text into lines.

    Tables and the like are printed with ``soft_wrap=False``: that fits them to the width. ``goes_on`` is for a program
    that does work: where its screen fails it says so once, and prints no more.
    """

    def __init__(
        self,
        *,
        file: IO[str] | None = None,
        stderr: bool = False,
        width: int | None = None,
        height: int | None = None,
        force_terminal: bool | None = None,
        goes_on: bool = False,
    ) -> None:
        self.goes_on = goes_on
        self._indent: int | None = None  # of what a line goes on with; None: the terminal breaks it where it is full
        super().__init__(
            file=file,
            stderr=stderr,
            width=width,
            height=height,
            force_terminal=force_terminal,
            force_jupyter=False,  # plain lines, as in every other output
            highlight=False,
            soft_wrap=True,
            markup=False,
            emoji=False,
        )

    @property
    def file(self) -> IO[str]:
        """The stream that is written to."""
        return cast(IO[str], _Screen(super().file, self))

    @file.setter
    def file(self, new: IO[str]) -> None:
        self._file = new

    @property
    def is_live(self) -> bool:
        """Tell whether a live display can be seen: it is a terminal, and prints something."""
        return self.is_terminal and not self.quiet

    @contextmanager
    def wrapping(self, indent: int = 2) -> Iterator[None]:
        """Break printed lines, within the block, between words on a terminal, and go on indented.

        Not for commands, which are to be copied whole. Where the output is no terminal, a line stays a line.
        """
        before, self._indent = self._indent, indent
        try:
            yield
        finally:
            self._indent = before

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, but a single string wrapped as ``wrapping`` says."""
        wraps = self._indent is not None and self.is_terminal and not options and len(objects) == 1
        if not wraps or not isinstance(objects[0], str):
            super().print(*objects, **options)
            return
        for line in wrapped(escaped(objects[0]), self.width, self._indent or 0):
            super().print(Text(line))

    def render_str(self, text: str, **options: Any) -> Text:
        """A string, be it printed, in a cell, a title or a live display."""
        return super().render_str(escaped(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Escape, at the latest here, what others made of rich's own classes: whatever is shown passes here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text, keep="\n"))

    def lose(self, stream: IO[str], error: OSError | ValueError) -> None:
        """Print no more. A program that does no work ends: silently with a closed pipe, like others in a pipeline."""
        if self.quiet:
            return
        self.quiet = True
        program.drain(stream)
        if self.stderr:
            return
        if not self.goes_on and getattr(error, "errno", None) == errno.EPIPE:
            raise SystemExit(program.CLOSED_PIPE)
        what = f"standard output cannot be written: {getattr(error, 'strerror', None) or error}"
        complain(program.name(), f"{what}; the work goes on, and prints no more" if self.goes_on else what)
        if not self.goes_on:
            raise SystemExit(FAILED)


def wrapped(text: str, width: int, indent: int) -> list[str]:
    """The text in lines of at most ``width`` cells, all but the first indented; a word that is longer stays whole."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line.strip() else f"{line}{word}"
        if cell_len(longer) > width and line.strip():
            lines.append(line)
            longer = " " * indent + word
        line = longer
    return [*lines, line]


class _Screen:
    """A stream whose failures are the screen's. What its encoding lacks is written as an escape."""

    def __init__(self, stream: IO[str], console: Console) -> None:
        self.stream, self.console = stream, console

    def write(self, text: str) -> int:
        try:
            try:
                return self.stream.write(text)
            except UnicodeEncodeError as error:
                return self.stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        except (OSError, ValueError) as error:  # the second: it is closed
            self.console.lose(self.stream, error)
            return len(text)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self.console.lose(self.stream, error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
