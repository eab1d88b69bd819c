"""The site that ``make docs`` builds: whole, of its own files alone, and refused where a page is wrong.

Sphinx is in the extra ``docs``, not in ``test``; without it these tests are skipped.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.markdown_files import ROOT, name, pages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("sphinx") is None, reason="needs pip install -c constraints.txt '.[docs]'"),
]
BUILD = re.search(r"-m sphinx (.*) build/docs$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of the Makefile, with the site and what Sphinx keeps in another place."""
    assert BUILD is not None
    options = BUILD[1].replace("-d build/doctrees", f"-d {site}-doctrees").split()
    command = [sys.executable, "-m", "sphinx", *options, str(site)]
    return subprocess.run(command, cwd=source, capture_output=True, text=True)


class Page(HTMLParser):
    """A built page: where its links lead, what a browser loads for it, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links, self.loaded, self.anchors = list[str](), list[str](), set[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {key: value for key, value in attributes if value is not None}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        target = given.get("href", given.get("src"))
        if target is not None and given.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            (self.links if tag == "a" else self.loaded).append(target)
        assert "srcset" not in given, f"{self.path}: {given['srcset']} is in no form that the site has"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def built_pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_page_is_there_and_the_front_page_is_the_readme(site: Path) -> None:
    mine = [page for page in pages() if page.parent == ROOT or page.is_relative_to(ROOT / "docs")]
    assert [name(page) for page in mine if not (site / name(page)).with_suffix(".html").is_file()] == []
    assert (site / "index.html").read_text() == (site / "README.html").read_text()


def test_every_link_of_the_site_leads_to_a_file_and_an_anchor_of_it(built_pages: dict[Path, Page]) -> None:
    for path, page in built_pages.items():
        for target in (*page.links, *page.loaded):
            parts = urlsplit(target)
            if not parts.scheme:
                found = Path(path.parent, unquote(parts.path)).resolve() if parts.path else path
                assert found.is_file(), f"{path}: {target}"
                if parts.fragment and found.suffix == ".html":
                    assert unquote(parts.fragment) in built_pages[found].anchors, f"{path}: {target}"


def test_a_browser_loads_nothing_from_elsewhere(site: Path, built_pages: dict[Path, Page]) -> None:
    for path, page in built_pages.items():
        assert [target for target in page.loaded if urlsplit(target).netloc] == [], path
    for sheet in site.rglob("*.css"):
        loaded = re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')]+)", sheet.read_text(encoding="utf-8"))
        assert [target for target in loaded if urlsplit(target).netloc] == [], sheet


def test_source_files_are_shown_and_not_handed_over(site: Path, built_pages: dict[Path, Page]) -> None:
    shown = (site / "source" / "examples" / "sawtooth.py.html").read_text(encoding="utf-8")
    assert "Sawtooth" in shown and 'class="highlight' in shown
    assert not [path for path in (site / "_downloads").rglob("*") if path.suffix in (".py", ".csv", ".yaml", ".md")]
    for page in built_pages.values():
        assert not [target for target in page.links if target.endswith((".py", ".csv", ".yaml"))], page.path


def test_a_picture_has_a_light_and_a_dark_form(site: Path) -> None:
    why = (site / "docs" / "why.html").read_text(encoding="utf-8")
    assert re.search(r'class="[^"]*only-light[^"]*" src="[^"]*confirmation\.svg"', why)
    assert re.search(r'class="[^"]*only-dark[^"]*" src="[^"]*confirmation-dark\.svg"', why)
    assert "<picture" not in why


def test_a_link_to_nowhere_a_missing_heading_and_a_page_outside_the_contents_fail(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns(".*", "runs", "__pycache__", "build", "tests", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=ignored)
    (copy / "docs" / "alone.md").write_text("# Alone\n\n[a](gone.md) [b](guide.md#gone) [c](../tuner/gone.py)\n")
    built = build(copy, tmp_path / "site")
    assert built.returncode == 1
    said = [line for line in built.stderr.splitlines() if "alone.md" in line]
    assert len(said) == 4, built.stderr
    for expected in ("'gone.md'", "'docs/guide': 'gone'", "'../tuner/gone.py'", "isn't included in any toctree"):
        assert [line for line in said if expected in line], f"{expected}: {said}"
