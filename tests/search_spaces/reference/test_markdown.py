"""Texts of the source as GitHub's Markdown."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from search_spaces.reference.markdown import (
    EMPTY_CELL,
    anchor,
    code_span,
    first_sentence,
    inline,
    markdown_table,
    prose,
)


@pytest.mark.parametrize(
    "text",
    [
        "w *= 1 - target * progress * multiplier",
        "model_dim^2 and _mlp_ and *all* of it, a*b*c",
        "0 <= p < at, x <- 1.5 x, <b>, <|bos|> and </b>",
        "a [link](target) is none; [0, 1) is not either",
        "~/.cache, $HOME, a \\ b",
    ],
)
def test_what_a_docstring_says_is_what_is_read(text: str) -> None:
    (paragraph,) = [t for t in MarkdownIt("gfm-like", {"linkify": False}).parse(inline(text)) if t.type == "inline"]
    assert {child.type for child in paragraph.children} <= {"text"}
    assert "".join(child.content for child in paragraph.children) == text


def test_code_stays_code_whatever_is_in_it() -> None:
    assert inline("``a_b`` and :meth:`c_d` of *e*") == "`a_b` and `c_d` of \\*e\\*"
    assert code_span("a`b") == "`` a`b ``"


def test_paragraphs_lists_and_indented_code_keep_their_form() -> None:
    docstring = """One line
    that goes on.

    - first
      and more
    - second

        python -m this
        python -m that

    End."""
    assert prose(docstring) == [
        "One line that goes on.",
        "",
        "- first and more",
        "- second",
        "",
        "```",
        "python -m this",
        "python -m that",
        "```",
        "",
        "End.",
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("Of v. 2, as e.g. here: all of it. And more", "Of v. 2, as e.g. here: all of it."),
        ("One line\nthat goes on. Two.\n\nThree.", "One line that goes on."),
        ("No end", "No end"),
    ],
)
def test_the_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first


def test_a_table_drops_columns_that_say_nothing_and_pipes_are_no_borders() -> None:
    rows = [("x | y", EMPTY_CELL, "", "1"), ("`a|b`", EMPTY_CELL, "", "2")]
    lines = markdown_table(("a", "b", "c", "d"), rows)
    assert lines == [
        "| a | d |",
        "| --- | --- |",
        "| x \\| y | 1 |",
        "| `a\\|b` | 2 |",
    ]


def test_an_anchor_is_github_s() -> None:
    assert anchor("The run: data, budget") == "the-run-data-budget" and anchor("parameter_golf") == "parameter_golf"
