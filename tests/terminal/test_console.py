from __future__ import annotations

import io
import re

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from terminal.console import Console, Line

EVIL = "a\x1b]0;owned\x07\r\nb\u202e\x9b31m"
SHOWN = r"a\x1b]0;owned\x07\r\nb\u202e\x9b31m"


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_a_printed_string_is_one_line_of_printable_text(out: io.StringIO) -> None:
    console = Console(file=out, width=20)
    console.print(EVIL)
    console.print(EVIL, style="bold")
    assert out.getvalue() == f"{SHOWN}\n{SHOWN}\n"


def test_markup_emoji_and_long_lines_are_printed_as_they_are(out: io.StringIO) -> None:
    text = "[bold]x[/bold] :smile: 1.5 " + "y" * 300
    Console(file=out, width=20).print(text)
    assert out.getvalue() == text + "\n"


def test_cells_titles_and_lines_in_a_table_are_escaped_and_measured(out: io.StringIO) -> None:
    table = Table(title=EVIL, caption=EVIL)
    table.add_column(EVIL)
    table.add_row(EVIL)
    table.add_row(Line(EVIL))
    Console(file=out, width=200).print(table, soft_wrap=False)
    shown = out.getvalue()
    assert shown.count(SHOWN) == 5
    assert shown.replace("\n", "").isprintable()


def test_a_text_that_others_made_is_escaped_too(out: io.StringIO) -> None:
    Console(file=out, width=200).print(Text("a\x1b[2J\nb\u202e"))
    assert out.getvalue() == "a\\x1b[2J\nb\\u202e\n"


def test_a_literal_keeps_its_escapes(out: io.StringIO) -> None:
    Console(file=out, width=200).print(Text(repr(EVIL)))
    assert eval(out.getvalue()) == EVIL


def test_a_line_in_several_styles_is_escaped_in_each(out: io.StringIO) -> None:
    line = Line(EVIL, style="red").append(EVIL, style="dim")
    Console(file=out, width=200).print(line)
    assert out.getvalue() == f"{SHOWN}{SHOWN}\n"


def test_a_live_display_moves_the_cursor_and_its_data_do_not(out: io.StringIO) -> None:
    console = Console(file=out, width=100, force_terminal=True)
    with Live(Line(EVIL, style="red"), console=console, auto_refresh=False, redirect_stdout=False) as live:
        live.update(Line(EVIL), refresh=True)
    shown = out.getvalue()
    assert "\x1b[2K" in shown  # erases its former line
    assert SHOWN in shown
    assert "\x9b" not in shown and "\x1b]" not in shown and "\u202e" not in shown and "\x07" not in shown
    assert not re.search("a\r", shown)
