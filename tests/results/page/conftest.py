"""A headless Chromium that shows pages as a person's browser does; what it complains of is kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by Playwright; skipped where either is not there."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium here")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=program, args=["--no-sandbox"])  # root has no sandbox
        yield found
        found.close()


class Shown:
    """One page in a tab of its own, and what the browser complained of meanwhile."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab
        self.complaints: list[str] = []
        tab.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", lambda request: self.asked.append(request.url))
        self.asked: list[str] = []


@pytest.fixture
def show(browser: Any) -> Iterator[Any]:
    """Opens a file in a tab of a given width."""
    tabs = []

    def opened(path: Path, width: int = 1280, scheme: str = "light", fragment: str = "") -> Shown:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        tabs.append(context)
        shown = Shown(context.new_page())
        shown.tab.goto(f"{path.as_uri()}{fragment}")
        shown.tab.locator("#bar button").first.wait_for(state="attached")
        return shown

    yield opened
    for context in tabs:
        context.close()
