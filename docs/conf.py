"""Configuration of the site: ``make docs`` builds it with Sphinx, MyST and Furo into ``build/docs``.

The pages are written for GitHub, and nothing in them is Sphinx's own. What the site needs beside them is added here as
they are read: the table of contents, pictures in a light and a dark form, and pages for the source files that they
link to. Every warning is an error there: a link to nowhere, a heading that is missing, a page outside the contents.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

project = "tuner"
root_doc = "README"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**.md"]
exclude_patterns = [".*", "build", "data", "results/runs", "tests", "**/__pycache__"]  # not even walked through
extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]  # for pictures in two forms
html_theme = "furo"
html_title = "tuner"
html_static_path = ["site"]
html_css_files = ["site.css"]
html_copy_source = html_show_sphinx = html_show_copyright = False

# Page -> the parts of the contents below it, each a caption and its pages. A page that is in none fails the build.
CONTENTS: dict[str, dict[str, list[str]]] = {
    "README": {
        "Use it": [
            "docs/tutorial",
            "docs/guide",
            "docs/data",
            "docs/python",
            "docs/curves",
            "docs/objectives",
            "docs/own_components",
            "docs/own_train",
            "docs/trackers",
        ],
        "On a cluster": ["docs/cluster", "docs/rehearsal", "docs/gpu/README", "docs/gpu/nvidia_h200"],
        "Believe it": [
            "docs/why",
            "docs/samplers",
            "docs/scale",
            "docs/figures",
            "docs/coverage",
            "docs/initialisations",
            "docs/start_seconds",
            "docs/mutations",
        ],
        "Look it up": ["docs/spaces", "docs/knobs/README", "CONTRIBUTING", "CHANGELOG"],
    },
    "docs/spaces": {"": ["docs/spaces/*"]},
    "docs/knobs/README": {"": ["docs/knobs/*"]},
}

PICTURE = re.compile(r"<picture>.*?</picture>", flags=re.DOTALL)
DARK = re.compile(r'<source\b(?=[^>]*prefers-color-scheme: dark)[^>]*\bsrcset="([^"]+)"')
LIGHT = re.compile(r'<img\b(?=[^>]*\balt="(?P<alt>[^"]*)")[^>]*\bsrc="(?P<src>[^"]+)"')
SHOWN = {".py": "python", ".yaml": "yaml", ".sh": "bash", ".json": "json", ".csv": "text", ".txt": "text"}


def read_page(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the contents below a page, and take its ``<picture>`` apart, whose files Sphinx would not know of."""

    def light_and_dark(found: re.Match[str]) -> str:
        dark, light = DARK.search(found[0]), LIGHT.search(found[0])
        if dark is None or light is None:
            raise ExtensionError(f"{page}: a <picture> needs a source for dark screens, and an img with alt and src")
        alt = unescape(light["alt"])
        return f"\n\n![{alt}]({light['src']}){{.only-light}} ![{alt}]({dark[1]}){{.only-dark}}\n\n"  # Furo's classes

    text = PICTURE.sub(light_and_dark, source[0])
    for caption, pages in CONTENTS.get(page, {}).items():
        text += "\n\n```{toctree}\n:hidden:\n:glob:\n" + (f":caption: {caption}\n" if caption else "") + "\n"
        text += "".join(f"/{one}\n" for one in pages) + "```\n"
    source[0] = text


def take_sources(app: Sphinx, env: BuildEnvironment) -> None:
    """Take source files from what is downloaded, as which MyST sees all files that are no pages: they are shown."""
    taken = [file for file in env.dlfiles if Path(file).suffix in SHOWN]
    env.tuner_sources = [Path(file).as_posix() for file in taken]  # type: ignore[attr-defined]
    for file in taken:
        del env.dlfiles[file]


def link_to_sources(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Lead links to source files to the pages that show them."""
    for found in list(tree.findall(addnodes.download_reference)):
        if Path(found["reftarget"]).suffix in SHOWN:
            file = Path(app.srcdir, page).parent.joinpath(found["reftarget"]).resolve().relative_to(app.srcdir)
            uri = app.builder.get_relative_uri(page, f"source/{file.as_posix()}")
            found.replace_self(nodes.reference("", "", *found.children, internal=True, refuri=uri))


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Show each source file that a page links to."""
    for file in app.env.tuner_sources:  # type: ignore[attr-defined]
        text = Path(app.srcdir, file).read_text(encoding="utf-8")
        highlighter = app.builder.highlighter  # type: ignore[attr-defined]
        code = highlighter.highlight_block(text, SHOWN[Path(file).suffix])
        body = f"<section><h1>{escape(file)}</h1>\n{code}</section>"
        yield f"source/{file}", {"title": Path(file).name, "body": body}, "page.html"


def add_index(app: Sphinx, failure: Exception | None) -> None:
    """Let a server of files find the front page."""
    if failure is None and app.builder.name == "html":
        shutil.copyfile(Path(app.outdir, "README.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> None:
    app.connect("source-read", read_page)
    app.connect("env-updated", take_sources)
    app.connect("doctree-resolved", link_to_sources)
    app.connect("html-collect-pages", source_pages)
    app.connect("build-finished", add_index)
