"""Long lines on a terminal: they break between words, and go on indented; elsewhere a line stays a line."""

from __future__ import annotations

import io

import pytest

from terminal.console import Console, wrapped

LONG = "time: about 12 min 30 s to 14 min, 0.4 slot-hours of " + "word " * 30 + "end"


def console(width: int = 80, terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_line_breaks_between_words_and_goes_on_indented(width) -> None:
    out = console(width)
    with out.wrapping():
        out.print(LONG)
    first, *others = out.file.getvalue().splitlines()
    assert not first.startswith(" ") and all(line.startswith("  ") and line[2] != " " for line in others)
    assert all(len(line) <= width for line in (first, *others))
    assert " ".join(line.strip() for line in (first, *others)) == LONG


def test_a_word_is_never_broken() -> None:
    out, word = console(20), "s3://a-bucket/with/a/very/long/path"
    with out.wrapping():
        out.print(f"campaign: {word} here")
    assert word in out.file.getvalue()


def test_elsewhere_and_outside_the_block_a_line_stays_a_line() -> None:
    plain, after = console(20, terminal=False), console(20)
    with plain.wrapping():
        plain.print(LONG)
    with after.wrapping():
        pass
    after.print(LONG)
    assert plain.file.getvalue() == after.file.getvalue() == f"{LONG}\n"


def test_wide_letters_take_two_cells() -> None:
    assert wrapped("日本語 日本語 日本語", 14, 2) == ["日本語 日本語", "  日本語"]


def test_what_is_wrapped_is_data_all_the_same() -> None:
    out = console(40)
    with out.wrapping():
        out.print("a [bold]name[/bold] with \x1b[31m and a\nnewline in it")
    assert out.file.getvalue().replace("\n  ", " ") == "a [bold]name[/bold] with \\x1b[31m and a\\nnewline in it\n"


def test_an_empty_line_and_a_short_one_are_as_ever() -> None:
    out = console()
    with out.wrapping():
        out.print()
        out.print("short")
    assert out.file.getvalue() == "\nshort\n"
