"""Every link of README, CONTRIBUTING, CHANGELOG and docs/ leads somewhere, and README leads to every page of docs/.

``make docs`` holds the same of the built site, for what Sphinx knows. Addresses of others are looked at for their form
alone: tests have no internet.
"""

from __future__ import annotations

import ast
import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.markdown_files import ROOT, anchors, links, name, pages

HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}")


@pytest.fixture(scope="module")
def kept() -> set[Path]:
    """The files that git has or would take, and their folders: what a reader elsewhere has too."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # an archive of the source, without its history
        return {path for path in ROOT.rglob("*")}
    files = {ROOT / file for file in listed.stdout.split("\0") if file}
    return files | {folder for file in files for folder in file.parents}


def fault(page: Path, target: str, kept: set[Path]) -> str:
    """Say what is wrong with a link; nothing where it leads somewhere."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return "" if parts.scheme == "https" and HOST.fullmatch(parts.netloc) else "is no https address"
    if target.startswith("/"):
        return "begins at a root that differs between GitHub, the site and a disk"
    path = Path(page.parent, parts.path).resolve() if parts.path else page
    if not path.is_relative_to(ROOT) or path not in kept:
        return "leads to nothing that is kept here"
    if parts.fragment and (path.suffix != ".md" or parts.fragment not in anchors(path)):
        return "leads to no heading there"
    return ""


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path, kept: set[Path]) -> None:
    assert [f"{target} {wrong}" for target in links(page) if (wrong := fault(page, target, kept))] == []


def test_every_page_is_found_from_the_readme() -> None:
    found, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        found.add(page)
        targets = [Path(page.parent, urlsplit(target).path).resolve() for target in links(page)]
        ahead += [path for path in targets if path.suffix == ".md" and path not in found and path.is_file()]
    assert [name(page) for page in pages() if page.is_relative_to(ROOT / "docs") and page not in found] == []


def test_every_page_is_in_the_contents_of_the_site() -> None:
    """``make docs`` refuses one that is not; this says so without Sphinx, and so without running ``docs/conf.py``."""
    body = ast.parse((ROOT / "docs" / "conf.py").read_text(encoding="utf-8")).body
    (contents,) = [ast.literal_eval(n.value) for n in body if isinstance(n, ast.AnnAssign) and n.value is not None]
    patterns = {"README"} | {one for parts in contents.values() for below in parts.values() for one in below}
    mine = [
        name(page).removesuffix(".md") for page in pages() if page.parent == ROOT or page.is_relative_to(ROOT / "docs")
    ]
    assert [page for page in mine if not any(fnmatchcase(page, pattern) for pattern in patterns)] == []
    assert [one for one in patterns if not any(fnmatchcase(page, one) for page in mine)] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a](b.md)", ["b.md leads to nothing that is kept here"]),
        ("[a](../../elsewhere.md)", ["../../elsewhere.md leads to nothing that is kept here"]),
        ("[a](#two)", ["#two leads to no heading there"]),
        ("# Two `x_y`: z\n\n## A\n\n## A\n\n[a](#two-x_y-z) [b](#a) [c](#a-1)", []),
        ("## A\n\n## A\n\n[c](#a-2)", ["#a-2 leads to no heading there"]),
        ("[a](http://example.com)", ["http://example.com is no https address"]),
        ("[a](https://example)", ["https://example is no https address"]),
        ("[a](https://example.com/x#y)", []),
        ("[a](/README.md)", ["/README.md begins at a root that differs between GitHub, the site and a disk"]),
        ('<picture><source srcset="b.png 2x, c.png"><img src="d.png"></picture>', [f"{f}.png {{}}" for f in "bcd"]),
    ],
)
def test_a_link_that_leads_nowhere_is_found(text: str, said: list[str], tmp_path, monkeypatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    found = [f"{target} {wrong}" for target in links(page) if (wrong := fault(page, target, {page}))]
    assert found == [one.format("leads to nothing that is kept here") for one in said]
