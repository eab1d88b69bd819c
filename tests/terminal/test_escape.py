from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.escape import MESSAGE, WORD, elided, escaped, one_line, visible

STEERING = {
    "escape": ("\x1b[2J", r"\x1b[2J"),
    "bell": ("\x07", r"\x07"),
    "carriage return": ("a\rb", r"a\rb"),
    "backspace": ("a\bb", r"a\x08b"),
    "delete": ("\x7f", r"\x7f"),
    "C1 control sequence introducer": ("\x9b31m", r"\x9b31m"),
    "right-to-left override": ("a\u202eb", r"a\u202eb"),
    "isolate": ("\u2066", r"\u2066"),
    "zero width": ("\u200b\u200d\ufeff", r"\u200b\u200d\ufeff"),
    "line and paragraph separators": ("\u2028\u2029", r"\u2028\u2029"),
    "tab and newline": ("a\tb\nc", r"a\tb\nc"),
    "byte of a file name that is no UTF-8": ("\udcff", r"\udcff"),
    "no-break space": ("\xa0", r"\xa0"),
    "soft hyphen": ("\xad", r"\xad"),
    "tag": ("\U000e0041", r"\U000e0041"),
    "variation selector": ("\ufe0f", r"\ufe0f"),
    "blank letter": ("\u3164", r"\u3164"),
}


@pytest.mark.parametrize(("text", "shown"), STEERING.values(), ids=STEERING)
def test_what_is_no_printable_text_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert escaped(text) == shown
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text", ["", "val_bpb 2.3541", "schedule=Tidal|Cosine [x]", "Zürich 日本 🙂", "a\\b c\\", "'\\'"]
)
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


def unescaped(text: str) -> str:
    """The inverse, as a reader would do it."""

    def character(found: re.Match[str]) -> str:
        code = found[1]
        plain = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
        return plain[code] if code in plain else chr(int(code[1:], 16))

    return re.sub(r"\\([\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})", character, text)


@given(st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from("\\xnu09af\x1b\n\u202e"))))
def test_an_escaped_text_tells_the_text_it_came_from_and_is_printable(text: str) -> None:
    shown = escaped(text)
    assert shown.isprintable()
    assert unescaped(shown) == text


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def test_a_long_value_keeps_its_beginning_and_its_end_and_counts_the_rest() -> None:
    text = "".join(map(str, range(5000)))
    short = elided(text)
    assert len(short) <= WORD
    begin, end = re.split(r"\.\.\. \(.* more characters\) \.\.\.", short)
    assert text.startswith(begin) and text.endswith(end) and begin and end
    assert f"({len(text) - len(begin) - len(end):,} more" in short
    assert elided("x" * WORD) == "x" * WORD


def test_a_message_is_one_short_line() -> None:
    assert one_line("a\n  b\x1b[0m 'c\\x1b'") == "a b\\x1b[0m 'c\\x1b'"
    assert len(one_line("x" * 100_000)) <= WORD
    assert len(one_line("x " * 100_000)) <= MESSAGE
