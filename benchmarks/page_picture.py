"""The top of a campaign's page as pictures, light and dark: ``python -m benchmarks.page_picture FOLDER TARGET``.

Writes ``page-light.png`` and ``page-dark.png`` into TARGET: from the verdict down to the learning curves, as a browser
shows them. The README opens with those in docs/pictures, of the campaign that its ``make run`` gives. Needs a Chromium,
and playwright, which drives it (the extra ``test``). A palette makes a PNG three times smaller.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.page_picture")

import io
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.page import CHROMIUM
from results import load
from results.page import PAGE
from results.page.data import page_data
from results.page.write import html_of
from terminal.command_line import OneLineParser
from terminal.console import Console

WIDTH, HEIGHT = 1280, 1800  # CSS pixels: a window in which all of the pictures that are shown are drawn
SCALE = 1.5  # pixels of the file for each of these: sharp on most screens
COLOURS = 128
LAST = "#curves"  # the section that the picture ends with
WAIT = 800  # milliseconds until everything is drawn
SCHEMES = ("light", "dark")


def pictures(folder: str, target: Path) -> list[Path]:
    """Write both pictures of a campaign's page as it is now, and return their files. The campaign is only read.

    A ValueError where there is no such campaign, and where there is no browser.
    """
    campaign = load(folder)
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / PAGE
        page.write_text(html_of(page_data(campaign, campaign.store.folder)), encoding="utf-8")
        shots = _shots(page)
    target.mkdir(parents=True, exist_ok=True)
    return [_written(target / f"page-{scheme}.png", shot) for scheme, shot in shots.items()]


def _shots(page: Path) -> dict[str, bytes]:
    """Each colour scheme's picture, as the browser gives it."""
    chromium = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if chromium is None:
        raise ValueError(f"there is no browser here: install one of {', '.join(CHROMIUM)}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = {scheme: _shot(browser, page, scheme) for scheme in SCHEMES}
        browser.close()
    return found


def _shot(browser: Any, page: Path, scheme: str) -> bytes:
    size = {"width": WIDTH, "height": HEIGHT}
    tab = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=SCALE).new_page()
    tab.goto(page.as_uri())
    tab.locator(f"{LAST} canvas").first.wait_for()
    tab.wait_for_timeout(WAIT)
    box = tab.locator(LAST).bounding_box()
    taken: bytes = tab.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"] + 16})
    return taken


def _written(path: Path, shot: bytes) -> Path:
    from PIL import Image  # which matplotlib draws with, so that it is here

    with Image.open(io.BytesIO(shot)) as whole:
        few = whole.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the campaign named on the command line. Exit code 2 and one line where that cannot be."""
    parser = OneLineParser(prog="python -m benchmarks.page_picture", description="Draw the top of a campaign's page.")
    parser.add_argument("folder", help="the campaign's folder or URL, or its name in results/runs")
    parser.add_argument("target", type=Path, help="the folder of the pictures, which is made")
    options = parser.parse_args(arguments)
    console = Console(goes_on=True)
    try:
        for path in pictures(options.folder, options.target):
            console.print(f"{path}: {path.stat().st_size:,} bytes")
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
