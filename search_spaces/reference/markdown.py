"""Docstrings and tables as GitHub's Markdown: texts that were written for the source are escaped."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

EMPTY_CELL = "\N{EN DASH}"  # in a cell that has nothing to say
_CODE = re.compile(r"(?::\w+:)?(`{1,2})(.+?)\1", re.S)  # ``code`` and :meth:`code`
# Only what GitHub would take for markup: `a_b`, `a * b` and `[0, 1]` are text as they stand.
_SPECIAL = re.compile(r"(\\|\$|~|(?<!\w)_|_(?!\w)|(?<! )\*|\*(?! )|(?<=\])\(|<(?=[A-Za-z/!?]))")


def inline(text: str) -> str:
    """A text of one paragraph: code spans stay, all else is escaped."""
    parts, end = [], 0
    for found in _CODE.finditer(text):
        parts += [_escaped(text[end : found.start()]), code_span(found[2])]
        end = found.end()
    return " ".join("".join([*parts, _escaped(text[end:])]).split())


def code_span(text: str) -> str:
    """A code span; a text with a backtick in it gets longer fences."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def prose(docstring: str) -> list[str]:
    """The lines of a docstring's paragraphs and lists, each one line, with blank lines between paragraphs."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        if all(line.startswith("    ") for line in paragraph.splitlines()):
            lines += ["```", *inspect.cleandoc(paragraph).splitlines(), "```", ""]
            continue
        items = re.split(r"\n(?=- )", paragraph)
        for item in items:
            lines += [f"- {inline(item[2:])}"] if item.startswith("- ") else [inline(item), ""]
        if lines[-1] != "":
            lines.append("")
    return lines[:-1]


def first_sentence(docstring: str) -> str:
    """The first sentence of a docstring, escaped."""
    paragraph = " ".join(inspect.cleandoc(docstring).split("\n\n")[0].split())
    return inline(re.split(r"(?<=[a-z)\d\]`]\.) (?=[A-Z`])", paragraph)[0])


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table without the columns that are empty in all rows; a pipe in a cell is no border."""
    filled = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    kept = [i for i in range(len(header)) if any(row[i] not in ("", EMPTY_CELL) for row in filled)]
    lines = [[header[i] for i in kept], ["---" for _ in kept], *([row[i] for i in kept] for row in filled)]
    return [f"| {' | '.join(line)} |" for line in lines]


def anchor(heading: str) -> str:
    """The fragment by which GitHub links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
