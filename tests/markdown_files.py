"""The Markdown files that people read here: their headings, links and code blocks, as GitHub takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
FRONT = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
_PARSER = MarkdownIt("gfm-like", {"linkify": False})
_IN_HTML = re.compile(r"""\b(?:href|src|srcset)=["']([^"']*)["']""")


def pages() -> list[Path]:
    """Every file, the front ones first."""
    found = [path for folder in ("docs", "search_spaces", "deploy") for path in sorted((ROOT / folder).rglob("*.md"))]
    return [*(ROOT / name for name in FRONT), *found]


def name(path: Path) -> str:
    """The path from the root."""
    return path.relative_to(ROOT).as_posix()


@cache
def tokens(path: Path) -> tuple[Token, ...]:
    return tuple(_PARSER.parse(path.read_text(encoding="utf-8")))


def links(path: Path) -> Iterator[str]:
    """The targets of links and pictures, those in HTML too."""
    for token in tokens(path):
        for part in (token, *(token.children or ())):
            if part.type in ("html_inline", "html_block"):
                yield from (one.split()[0] for found in _IN_HTML.findall(part.content) for one in found.split(","))
            elif part.type in ("link_open", "image"):
                yield str(part.attrs["src" if part.type == "image" else "href"])


@cache
def anchors(path: Path) -> frozenset[str]:
    """The fragments by which GitHub links to the headings; the second of one name has ``-1`` after it."""
    found: dict[str, int] = {}
    parsed = tokens(path)
    for opening, inline in pairwise(parsed):
        if opening.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return frozenset(slug + (f"-{n}" if n else "") for slug, most in found.items() for n in range(most + 1))


@dataclass(frozen=True)
class Block:
    """A block of code: its language, its text, and the line where it begins."""

    language: str
    text: str
    line: int


def blocks(path: Path) -> list[Block]:
    """The blocks of code in a file."""
    fenced = [token for token in tokens(path) if token.type in ("fence", "code_block")]
    return [Block(token.info.strip(), token.content, (token.map or [0])[0] + 1) for token in fenced]


def spans(path: Path) -> Iterator[str]:
    """The code spans in the text of a file."""
    for token in tokens(path):
        yield from (child.content for child in token.children or () if child.type == "code_inline")
